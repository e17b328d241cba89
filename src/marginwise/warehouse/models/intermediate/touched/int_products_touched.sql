-- Grain: one product of which something new, corrected or gone is known: a version of it, a dated cost or price, or a
-- version of its partner. `touched_from_at` is the first moment of which it may tell something else. Empty in a full refresh.
{%- set attributes = ['partner_id', 'kind', 'category', 'list_price', 'unit_cost', 'is_good'] %}

with reached as (

    {{ versions_changed('dim_products', 'product_id', attributes, for_good='kind') }}
    union all
    select store_id, product_id, valid_from from {{ changed('chk_product_costs') }}
    union all
    select store_id, product_id, valid_from from {{ changed('chk_product_prices') }}
    union all
    select products.store_id, products.product_id, partners.touched_from_at
    from {{ ref('dim_products') }} as products
    inner join {{ ref('int_partners_touched') }} as partners
        on products.store_id = partners.store_id and products.partner_id = partners.partner_id

),

final as (

    select store_id, product_id, min(touched_from_at) as touched_from_at from reached
    where product_id is not null and touched_from_at is not null
    group by store_id, product_id

)

select * from final
