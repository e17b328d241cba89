-- Grain: one unit that is judged (unit_kind, unit_id): channel (with Unassigned, Guests), campaign, partner, category.
-- Never sum over unit kinds, and never average rates. All figures of a row speak of the same customers, days and spend.
with units as (

    select * from {{ ref('int_decision_units_charged') }}

),

windows as (

    select * from {{ ref('int_decision_windows_set') }}

),

funnels as (

    select * from {{ ref('int_funnels_compared') }}
    where period_kind = 'window'

),

customers_acquired as (

    select * from {{ ref('int_customers_acquired') }}

),

pending as (

    select store_id, 'channel' as unit_kind, acquisition_channel as unit_id, count(*) as customers_count
    from customers_acquired
    where not is_mature and not is_left_censored
    group by store_id, acquisition_channel

),

final as (

    select
        units.store_id,
        units.unit_kind,
        units.unit_id,
        units.unit_name,
        units.parent_name,
        units.is_paid,
        units.lever,
        units.has_spend,
        units.is_spend_assumed,
        cast(units.spend_amount as decimal(18, 4)) as spend_amount,
        cast(units.customers_count as bigint) as customers_count,
        cast(units.customers_count as bigint) as mature_customers_count,
        case when units.unit_kind = 'channel' then coalesce(pending.customers_count, 0) end as pending_customers_count,
        cast(units.orders_count as bigint) as orders_count,
        cast(units.net_revenue_amount as decimal(18, 4)) as net_revenue_amount,
        cast(
            case when previous_windows.store_id is not null then coalesce(units.previous_net_revenue_amount, 0) end
            as decimal(18, 4)
        ) as previous_net_revenue_amount,
        {{ rate_of('units.net_revenue_amount', 'units.store_net_revenue_amount') }} as revenue_share_rate,
        {{ rate_of('units.net_revenue_amount', 'units.spend_amount') }} as roas,
        {{ rate_of('units.refund_amount', '(units.net_revenue_amount + units.refund_amount)') }} as refund_rate,
        {{ rate_of('units.known_weight_amount', '(3 * units.coverage_weight_amount)') }} as known_cost_rate,
        {{ rate_of('units.assumed_weight_amount', '(3 * units.coverage_weight_amount)') }} as assumed_cost_rate,
        {{ rate_of('(3 * units.coverage_weight_amount - units.known_weight_amount - units.assumed_weight_amount)',
                   '(3 * units.coverage_weight_amount)') }} as unknown_cost_rate,
        {{ rate_of('units.goods_unknown_weight_amount', 'units.coverage_weight_amount') }} as goods_unknown_rate,
        funnels.funnel_loss_rate,
        funnels.funnel_worst_step,
        funnels.funnel_loss_amount,
        {% for name in ('shipping_cost', 'payment_fee', 'goods_cost', 'commission', 'refund', 'discount') -%}
        cast(units.{{ name }}_amount as decimal(18, 4)) as {{ name }}_amount,
        {% endfor -%}
        {{ rate_of('units.store_unattributed_amount', 'units.store_net_revenue_amount') }} as unattributed_rate,
        current_windows.start_date as window_start_date,
        current_windows.end_date as window_end_date,
        current_windows.as_of_date,
        {{ var('horizon_days') }} as horizon_days
    from units
    inner join windows as current_windows
        on units.store_id = current_windows.store_id and current_windows.period = 'current'
    left join windows as previous_windows
        on units.store_id = previous_windows.store_id and previous_windows.period = 'previous'
    left join funnels
        on units.store_id = funnels.store_id and units.unit_kind = funnels.unit_kind and units.unit_id = funnels.unit_id
    left join pending
        on units.store_id = pending.store_id and units.unit_kind = pending.unit_kind and units.unit_id = pending.unit_id

)

select * from final
