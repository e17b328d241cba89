-- Grain: one unit (unit_kind channel or campaign, unit_id) under one touch rule and horizon: its customers summed, beside
-- the spend of the same window. Never sum over kinds, rules or horizons: each tells the whole store.
with windows as (

    select * from {{ ref('int_variant_windows_set') }}

),

listed as (

    select store_id, unit_kind, unit_id, coalesce(parent_name, unit_id) as channel_name
    from {{ ref('int_decision_units_listed') }}
    where unit_kind in ('channel', 'campaign')

),

spend as (

    select spend.*, windows.horizon_days
    from {{ ref('fct_marketing_spend') }} as spend
    inner join windows
        on spend.store_id = windows.store_id and spend.spend_date between windows.start_date and windows.end_date

),

variants as (

    {{ variant_customers_summed() }}

),

-- what customers brought, what was spent, and that a unit is listed at all: united, so that none of the three is lost
united as (

    {% for rule in variant_touch_rules() -%}
    {% for kind in ('channel', 'campaign') -%}
    select
        store_id, horizon_days, '{{ rule }}' as touch_rule, '{{ kind }}' as unit_kind, {{ rule }}_{{ kind }} as unit_id,
        {{ rule }}_channel as channel_name, customers_count, repeated_customers_count, net_revenue_amount, cm2_amount, cost_amount,
        unknown_cost_revenue_amount,
        cast(null as decimal(18, 4)) as spend_amount
    from variants
    where {{ rule }}_{{ kind }} is not null
    union all
    {% endfor -%}
    select store_id, horizon_days, '{{ rule }}', 'channel', channel_name, channel_name, 0, 0, 0, 0, 0, 0, spend_amount
    from spend
    union all
    select
        store_id, horizon_days, '{{ rule }}', 'campaign', {{ campaign_unit_id('channel_name', 'campaign_name') }},
        channel_name, 0, 0, 0, 0, 0, 0, spend_amount
    from spend
    where {{ is_campaign('campaign_name') }}
    union all
    select
        listed.store_id, windows.horizon_days, '{{ rule }}', listed.unit_kind, listed.unit_id, listed.channel_name,
        0, 0, 0, 0, 0, 0, null
    from listed
    inner join windows on listed.store_id = windows.store_id
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

summed as (

    select
        store_id, unit_kind, unit_id, touch_rule, horizon_days, channel_name,
        {% for name in ('net_revenue', 'cm2', 'cost', 'unknown_cost_revenue', 'spend') -%}
        cast(sum({{ name }}_amount) as decimal(18, 4)) as {{ name }}_amount,
        {% endfor -%}
        cast(sum(customers_count) as bigint) as customers_count,
        cast(sum(repeated_customers_count) as bigint) as repeated_customers_count
    from united
    group by store_id, unit_kind, unit_id, touch_rule, horizon_days, channel_name

),

final as (

    select
        summed.store_id, summed.unit_kind, summed.unit_id, summed.touch_rule, summed.horizon_days,
        coalesce(channels.is_paid, false) as is_paid,
        summed.spend_amount is not null as has_spend,
        cast(
            case when channels.is_paid then summed.spend_amount else coalesce(summed.spend_amount, 0) end as decimal(18, 4)
        ) as spend_amount,
        summed.customers_count, summed.repeated_customers_count, summed.net_revenue_amount, summed.cm2_amount,
        summed.cost_amount, summed.unknown_cost_revenue_amount,
        windows.start_date as window_start_date, windows.end_date as window_end_date, windows.as_of_date
    from summed
    inner join windows on summed.store_id = windows.store_id and summed.horizon_days = windows.horizon_days
    left join {{ ref('dim_channels') }} as channels
        on summed.store_id = channels.store_id and summed.channel_name = channels.channel_name

)

select * from final
