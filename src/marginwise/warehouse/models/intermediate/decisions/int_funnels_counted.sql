-- Grain: one channel, and again one campaign (unit_kind), per period: the decision window, and again each month
-- (period_kind). Closed visits per step reached, and those of the rest of the store, which never include the unit.
-- Pending visits count apart. Where the store has no events, only purchases are known and the steps before are null.
{% set steps = ['viewed', 'added_to_cart', 'checked_out', 'purchased'] %}
{% set counts = ['sessions', 'pending_sessions', 'out_of_order_sessions', 'unknown_sessions']
    + ['viewed_sessions', 'added_to_cart_sessions', 'checked_out_sessions', 'purchased_sessions'] %}

with windows as (

    select * from {{ ref('int_decision_windows_set') }} where period = 'current'

),

sessions as (

    select * from {{ ref('fct_sessions') }}

),

days as (

    select
        store_id,
        session_date,
        channel_name,
        campaign_name,
        sum(case when is_pending then 0 else 1 end) as sessions_count,
        sum(case when is_pending then 1 else 0 end) as pending_sessions_count,
        sum(case when is_out_of_order and not is_pending then 1 else 0 end) as out_of_order_sessions_count,
        sum(case when has_viewed is null then 1 else 0 end) as unknown_sessions_count
        {%- for step in steps %},
        sum(case when has_{{ step }} and not is_pending then 1 else 0 end) as {{ step }}_sessions_count
        {%- endfor %}
    from sessions
    group by store_id, session_date, channel_name, campaign_name

),

period_days as (

    select
        days.*, 'window' as period_kind, windows.start_date as period_start_date, windows.end_date as period_end_date
    from days
    inner join windows
        on days.store_id = windows.store_id and days.session_date between windows.start_date and windows.end_date
    union all
    select
        days.*, 'month', {{ month_of('session_date') }}, cast({{ dbt.last_day('session_date', 'month') }} as date)
    from days

),

unit_days as (

    select period_days.*, 'channel' as unit_kind, channel_name as unit_id, null as unit_campaign_name
    from period_days
    union all
    select period_days.*, 'campaign', {{ campaign_unit_id('channel_name', 'campaign_name') }}, campaign_name
    from period_days

),

units_counted as (

    select
        store_id, unit_kind, unit_id, period_kind, period_start_date, period_end_date, channel_name,
        unit_campaign_name as campaign_name
        {%- for count in counts %},
        cast(sum({{ count }}_count) as bigint) as {{ count }}_count
        {%- endfor %}
    from unit_days
    group by
        store_id, unit_kind, unit_id, period_kind, period_start_date, period_end_date, channel_name, unit_campaign_name

),

units_known as (

    select *, max(unknown_sessions_count) over (partition by store_id) = 0 as are_steps_known from units_counted

),

final as (

    select
        store_id, unit_kind, unit_id, period_kind, period_start_date, period_end_date, channel_name, campaign_name,
        sessions_count, pending_sessions_count, out_of_order_sessions_count, purchased_sessions_count
        {%- for step in steps %}
        {%- if step != 'purchased' %},
        case when are_steps_known then {{ step }}_sessions_count end as {{ step }}_sessions_count
        {%- endif %},
        case when are_steps_known then sum({{ step }}_sessions_count) over whole - {{ step }}_sessions_count end
            as rest_{{ step }}_sessions_count
        {%- endfor %}
    from units_known
    window whole as (partition by store_id, unit_kind, period_kind, period_start_date)

)

select * from final
