-- Grain: one store and step of the bridge from the raw total to CM3 (key: store_id, step_order).
-- Changes lead from one total to the next; totals and memo lines must not be summed.
{% set steps = margin_bridge_steps() %}

with amounts as (

    select * from {{ ref('int_bridge_amounts_measured') }}

),

stores as (

    select distinct store_id from amounts

),

steps as (

    {% for step in steps -%}
    select
        {{ loop.index * 100 }} as step_order, '{{ step.id }}' as step_id, '{{ step.step }}' as step,
        '{{ step.kind }}' as step_kind,
        {{ 'false' if step.only_if_any is defined else 'true' }} as is_always_shown,
        {{ 'true' if step.source == 'landed' or step.kind == 'memo' or step.is_zero is defined else 'false' }}
            as is_zero_when_empty
    {%- if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}

),

net_revenues as (

    select store_id, amount as net_revenue_amount from amounts
    where step_id = 'net_revenue'

),

steps_filled as (

    select
        stores.store_id,
        steps.step_order + row_number() over (partition by stores.store_id, steps.step_id order by amounts.rule) - 1
            as step_order,
        steps.step_id,
        case when amounts.rule is null then steps.step else steps.step || ': ' || amounts.rule end as step,
        steps.step_kind,
        coalesce(amounts.amount, case when steps.is_zero_when_empty then 0 end) as amount,
        coalesce(amounts.row_count, 0) as row_count
    from stores
    cross join steps
    left join amounts on stores.store_id = amounts.store_id and steps.step_id = amounts.step_id
    where steps.is_always_shown or amounts.row_count > 0

),

final as (

    select
        steps_filled.store_id,
        cast(steps_filled.step_order as integer) as step_order,
        steps_filled.step_id,
        steps_filled.step,
        steps_filled.step_kind,
        cast(steps_filled.amount as decimal(18, 4)) as amount,
        cast(steps_filled.row_count as bigint) as row_count,
        {{ rate_of('steps_filled.amount', 'net_revenues.net_revenue_amount') }} as net_revenue_rate
    from steps_filled
    left join net_revenues on steps_filled.store_id = net_revenues.store_id

)

select * from final
