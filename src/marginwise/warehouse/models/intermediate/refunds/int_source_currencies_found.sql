-- Grain: one source within a store: the one currency of all its orders; null where they have several.
{{ config(materialized='kept', key=['store_id', '_source']) }}

with orders as (

    select * from {{ ref('stg_orders') }}

),

final as (

    select
        store_id,
        _source,
        case when min(currency) = max(currency) then min(currency) end as currency
    from orders
    group by store_id, _source

)

select * from final
