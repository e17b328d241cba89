-- Grain: one channel, and again one campaign (unit_kind): closed visits of the decision window per step reached, and
-- those of the rest of the store, which never include the unit. Pending visits count apart. Never sum over both kinds.
-- Where the store has no events, only purchases are known and the steps before them are null.
{% set steps = ['viewed', 'added_to_cart', 'checked_out', 'purchased'] %}

with windows as (

    select * from {{ ref('int_decision_windows_set') }}
    where period = 'current'

),

sessions as (

    select * from {{ ref('fct_sessions') }}

),

sessions_judged as (

    select
        sessions.store_id,
        sessions.channel_name,
        sessions.campaign_name,
        case when sessions.is_pending then 0 else 1 end as is_closed_count,
        case when sessions.is_pending then 1 else 0 end as is_pending_count,
        case when sessions.is_out_of_order and not sessions.is_pending then 1 else 0 end as is_out_of_order_count,
        case when sessions.has_viewed is null then 1 else 0 end as is_unknown_count
        {%- for step in steps %},
        case when sessions.has_{{ step }} and not sessions.is_pending then 1 else 0 end as has_{{ step }}_count
        {%- endfor %}
    from sessions
    inner join windows
        on
            sessions.store_id = windows.store_id
            and sessions.session_date between windows.start_date and windows.end_date

),

unit_sessions as (

    select 'channel' as unit_kind, channel_name as unit_id, sessions_judged.* from sessions_judged
    union all
    select 'campaign', {{ campaign_unit_id('channel_name', 'campaign_name') }}, sessions_judged.* from sessions_judged

),

units_counted as (

    select
        store_id,
        unit_kind,
        unit_id,
        channel_name,
        case when unit_kind = 'campaign' then campaign_name end as campaign_name,
        sum(is_closed_count) as sessions_count,
        sum(is_pending_count) as pending_sessions_count,
        sum(is_out_of_order_count) as out_of_order_sessions_count,
        sum(has_purchased_count) as purchased_sessions_count
        {%- for step in steps if step != 'purchased' %},
        case when max(max(is_unknown_count)) over (partition by store_id) = 0 then sum(has_{{ step }}_count) end
            as {{ step }}_sessions_count
        {%- endfor %}
    from unit_sessions
    group by store_id, unit_kind, unit_id, channel_name, case when unit_kind = 'campaign' then campaign_name end

),

final as (

    select
        *,
        {% for step in steps -%}
        sum({{ step }}_sessions_count) over (partition by store_id, unit_kind) - {{ step }}_sessions_count
            as rest_{{ step }}_sessions_count{{ "," if not loop.last }}
        {% endfor %}
    from units_counted

)

select * from final
