-- Grain: one product of which goods were sold at a cost that is stated or assumed; the key of no product says that the
-- store has any such product at all. Money given back for no product brings no goods back: in a store that tells margins it
-- is known to cost what it is.
{{ config(materialized='kept', key=['store_id', 'product_key']) }}

with order_lines as (

    select * from {{ ref('fct_order_lines') }}
    where is_counted and not is_cancelled and goods_cost_basis <> 'unknown'

),

products as (

    select
        store_id,
        product_id,
        max(case goods_cost_basis when 'known' then 2 else 1 end) as cost_grade
    from order_lines
    group by store_id, product_id

),

final as (

    select store_id, {{ key(['store_id', 'product_id']) }} as product_key, cost_grade from products
    union all
    select distinct store_id, {{ no_key() }}, 2 from products

)

select * from final
