-- Grain: one day on whose orders, or refunds without an order, something new, corrected or gone may tell. Empty in a full
-- refresh.

{% call touched_keys(['store_id', 'entry_date'], type='date') %}
    select store_id, order_date as entry_date from {{ changed('fct_order_lines') }}
    union all
    select store_id, order_date_basis_date from {{ changed('fct_refunds') }}
    union all
    -- what was given back is judged like the sales of its product
    select refunds.store_id, refunds.order_date_basis_date
    from {{ ref('fct_refunds') }} as refunds
    inner join (
        select store_id, product_key from {{ changed('int_products_costed') }}
        union
        select store_id, product_key from {{ changed('dim_products') }}
    ) as products
        on refunds.store_id = products.store_id and coalesce(refunds.product_key, 'no product') = products.product_key
    where refunds.is_orderless
    union all
    -- a cancelled line claims a margin only in a store that tells any
    select lines.store_id, lines.order_date
    from {{ ref('fct_order_lines') }} as lines
    inner join {{ changed('int_products_costed') }} as stores
        on lines.store_id = stores.store_id and stores.product_key = 'no product'
    where lines.is_cancelled
{% endcall %}
