-- Grain: one store, channel and period: the decision window, and again each month (period_kind); never sum over both.
-- Rates must not be averaged. Each channel is compared with the rest of the store, which does not include it.
{% set steps = funnel_steps() %}

with funnels as (

    select * from {{ ref('int_funnels_compared') }}
    where unit_kind = 'channel'

),

final as (

    select
        store_id,
        period_kind,
        period_start_date,
        period_end_date,
        channel_name,
        sessions_count,
        pending_sessions_count,
        out_of_order_sessions_count,
        viewed_sessions_count,
        added_to_cart_sessions_count,
        checked_out_sessions_count,
        purchased_sessions_count,
        {% for step in steps -%}
        {{ step.id }}_rate,
        rest_{{ step.id }}_rate,
        {{ step.id }}_loss_amount,
        {% endfor -%}
        funnel_loss_rate,
        rest_funnel_loss_rate,
        cm2_per_order_amount,
        funnel_worst_step,
        funnel_loss_amount
    from funnels

)

select * from final
