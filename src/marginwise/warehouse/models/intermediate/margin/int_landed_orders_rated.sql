-- Grain: one order number with a landed order (loaded or not): the rate that converts its rows to store currency.
-- The rate is null where the order's currency has no rate on its day.
{{ config(materialized='view') }}

with landed_orders as (

    select * from {{ ref('chk_orders') }}

),

exchange_rates as (

    select * from {{ ref('stg_exchange_rates') }}

),

final as (

    select
        landed_orders.store_id,
        landed_orders.order_id,
        max(
            case
                when landed_orders.currency = '{{ var("reporting_currency") }}' then 1
                else exchange_rates.rate
            end
        ) as exchange_rate
    from landed_orders
    left join exchange_rates
        on
            landed_orders.store_id = exchange_rates.store_id
            and landed_orders.currency = exchange_rates.currency
            and {{ local_date('landed_orders.ordered_at') }} = exchange_rates.date
    where landed_orders.order_id is not null
    group by landed_orders.store_id, landed_orders.order_id

)

select * from final
