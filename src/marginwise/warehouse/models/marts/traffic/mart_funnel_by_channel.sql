-- Grain: one store and channel; visits of the decision window (window_start_date to window_end_date).
-- Rates must not be averaged. Each channel is compared with the rest of the store, which does not include it.
{% set steps = funnel_steps() %}

with funnels as (

    select * from {{ ref('int_funnels_compared') }}
    where unit_kind = 'channel'

),

windows as (

    select * from {{ ref('int_decision_windows_set') }}
    where period = 'current'

),

final as (

    select
        funnels.store_id,
        funnels.channel_name,
        windows.start_date as window_start_date,
        windows.end_date as window_end_date,
        funnels.sessions_count,
        funnels.pending_sessions_count,
        funnels.out_of_order_sessions_count,
        funnels.viewed_sessions_count,
        funnels.added_to_cart_sessions_count,
        funnels.checked_out_sessions_count,
        funnels.purchased_sessions_count,
        {% for step in steps -%}
        funnels.{{ step.id }}_rate,
        funnels.rest_{{ step.id }}_rate,
        funnels.{{ step.id }}_loss_amount,
        {% endfor -%}
        funnels.funnel_loss_rate,
        funnels.rest_funnel_loss_rate,
        funnels.cm2_per_order_amount,
        funnels.funnel_worst_step,
        funnels.funnel_loss_amount
    from funnels
    inner join windows on funnels.store_id = windows.store_id

)

select * from final
