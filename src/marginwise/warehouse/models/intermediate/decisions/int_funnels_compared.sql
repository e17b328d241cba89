-- Grain: one channel, and again one campaign (unit_kind), per period, with its step rates beside those of the rest of
-- the store and what the difference costs: visits at the step x rate missing to the rest x the rest's way on to an
-- order x the store's CM2 per order, so that a unit without orders is judged too.
{% set steps = funnel_steps() %}
{% set any_known = (steps | map(attribute='id') | join('_loss_amount is not null or ')) ~ '_loss_amount is not null' %}

with funnels as (

    select * from {{ ref('int_funnels_counted') }}

),

margins_per_order as (

    select * from {{ ref('int_order_margins_averaged') }}

),

rates as (

    select
        funnels.*,
        margins_per_order.cm2_per_order_amount,
        {% for step in steps -%}
        {{ rate_of('funnels.' ~ step.to ~ '_sessions_count', 'funnels.' ~ step.from ~ '_sessions_count') }}
            as {{ step.id }}_rate,
        {{ rate_of('funnels.rest_' ~ step.to ~ '_sessions_count', 'funnels.rest_' ~ step.from ~ '_sessions_count') }}
            as rest_{{ step.id }}_rate,
        {{ rate_of('funnels.rest_purchased_sessions_count', 'funnels.rest_' ~ step.to ~ '_sessions_count') }}
            as rest_after_{{ step.id }}_rate,
        {% endfor -%}
        1 - {{ rate_of('funnels.purchased_sessions_count', 'funnels.viewed_sessions_count') }} as funnel_loss_rate,
        1 - {{ rate_of('funnels.rest_purchased_sessions_count', 'funnels.rest_viewed_sessions_count') }}
            as rest_funnel_loss_rate
    from funnels
    left join margins_per_order
        on
            funnels.store_id = margins_per_order.store_id
            and funnels.period_kind = margins_per_order.period_kind
            and funnels.period_start_date = margins_per_order.period_start_date

),

losses as (

    select
        *,
        {% for step in steps -%}
        {{ money('greatest(rest_' ~ step.id ~ '_rate - ' ~ step.id ~ '_rate, 0) * ' ~ step.from ~ '_sessions_count'
                 ~ ' * rest_after_' ~ step.id ~ '_rate * cm2_per_order_amount') }}
            as {{ step.id }}_loss_amount{{ "," if not loop.last }}
        {% endfor %}
    from rates

),

worst as (

    select
        *,
        greatest(
            {%- for step in steps %}
            coalesce({{ step.id }}_loss_amount, 0){{ "," if not loop.last }}
            {%- endfor %}
        ) as worst_loss_amount
    from losses

),

final as (

    select
        *,
        case
            when worst_loss_amount <= 0 then null
            {%- for step in steps %}
            when {{ step.id }}_loss_amount = worst_loss_amount then '{{ step.id }}' {%- endfor %}
        end as funnel_worst_step,
        cast(case when {{ any_known }} then worst_loss_amount end as decimal(18, 4)) as funnel_loss_amount
    from worst

)

select * from final
