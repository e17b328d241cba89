-- Grain: one refund that lies on no order line: it names no order, or one without lines. It is valued at its own
-- date. Its currency is that of its source's orders; the cost of restocked goods is the one known at the refund.
{{ config(materialized='view') }}

with refunds as (

    select *, {{ local_date('refunded_at') }} as order_date from {{ ref('stg_refunds') }} as stated
    where {{ is_touched('stated', 'int_refunds_touched', ['store_id', 'refund_id']) }}

),

placed as (

    select distinct store_id, refund_id from {{ ref('int_refunds_spread') }} as refund_lines
    where {{ is_touched('refund_lines', 'int_refunds_touched', ['store_id', 'refund_id']) }}

),

source_currencies as (

    select * from {{ ref('int_source_currencies_found') }}

),

orders as (

    select
        refunds.*,
        coalesce(source_currencies.currency, '{{ var("reporting_currency") }}') as currency
    from refunds
    left join placed on refunds.store_id = placed.store_id and refunds.refund_id = placed.refund_id
    left join source_currencies on refunds.store_id = source_currencies.store_id and refunds._source = source_currencies._source
    where placed.refund_id is null

),

exchange_rates as (

    select * from {{ ref('stg_exchange_rates') }}

),

products as (

    select * from {{ ref('dim_products') }}

),

costs as (

    {{ dated_values(ref('stg_product_costs'), 'unit_cost') }}

),

final as (

    select
        orders.store_id,
        orders.refund_id,
        {{ exchange_rate_of('orders', 'refund_rates') }} as exchange_rate,
        {{ converted('orders.amount', exchange_rate_of('orders', 'refund_rates')) }} as amount,
        {{ converted('orders.tax_amount', exchange_rate_of('orders', 'refund_rates')) }} as tax_amount,
        {{ converted('orders.shipping_amount', exchange_rate_of('orders', 'refund_rates')) }} as shipping_amount,
        {{ converted('orders.handling_cost_amount', exchange_rate_of('orders', 'refund_rates')) }} as handling_cost_amount,
        case
            when coalesce(orders.restocked_quantity, 0) = 0 then 0
            else
                {{ amount_times('orders.restocked_quantity', 'coalesce(' ~
                    converted('costs.unit_cost', exchange_rate_of('costs', 'cost_rates')) ~ ', products.unit_cost)') }}
        end as restocked_cost_amount,
        coalesce(products.is_good, true) as is_good
    from orders
    left join products
        on
            orders.store_id = products.store_id
            and orders.product_id = products.product_id
            and {{ valid_at('products', 'orders.refunded_at') }}
    left join costs
        on
            orders.store_id = costs.store_id
            and orders.product_id = costs.product_id
            and {{ valid_at('costs', 'orders.refunded_at') }}
    {{ rate_join('refund_rates', 'orders') }}
    {{ rate_join('cost_rates', 'costs') }}

)

select * from final
