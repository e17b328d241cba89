-- Grain: one pair of country shipped to and sales channel ('' = not given) with the rates the settings assume for
-- it. Rates by category, and the defaults behind them, are applied to the lines. A rate is null where none is
-- declared: the cost is then unknown, never zero.

with orders as (

    select distinct
        coalesce(ship_country, '') as ship_country,
        coalesce(sales_channel, '') as sales_channel
    from {{ ref('stg_orders') }}

),

rates as (

    select kind, lower(scope) as scope, rate from {{ source('ops', 'assumed_rates') }}
    where kind not in ('tax_rate', 'margin_rate') or lower(scope) <> 'default'

),

-- the narrowest scope that is declared wins: for fees and commission the sales channel, for shipping and tax the
-- country
scoped as (

    select
        orders.ship_country,
        orders.sales_channel,
        rates.kind,
        rates.rate,
        row_number() over (
            partition by orders.ship_country, orders.sales_channel, rates.kind
            order by
                case
                    when rates.scope = 'default' then 3
                    when (rates.scope = lower(orders.ship_country)) = (rates.kind in ('shipping_cost', 'tax_rate')) then 1
                    else 2
                end,
                rates.scope
        ) as rate_rank
    from orders
    inner join rates on rates.scope in (lower(orders.ship_country), lower(orders.sales_channel), 'default')

),

final as (

    select
        orders.ship_country,
        orders.sales_channel,
        max(case when scoped.kind = 'payment_fee_rate' then scoped.rate end) as payment_fee_rate,
        max(case when scoped.kind = 'payment_fee_fixed' then scoped.rate end) as payment_fee_fixed_amount,
        max(case when scoped.kind = 'shipping_cost' then scoped.rate end) as shipping_cost_amount,
        max(case when scoped.kind = 'commission_rate' then scoped.rate end) as commission_rate,
        max(case when scoped.kind = 'tax_rate' then scoped.rate end) as tax_rate
    from orders
    left join scoped
        on
            orders.ship_country = scoped.ship_country
            and orders.sales_channel = scoped.sales_channel
            and scoped.rate_rank = 1
    group by orders.ship_country, orders.sales_channel

)

select * from final
