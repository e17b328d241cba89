-- Grain: one store and step of the margin bridge (and rule, for quarantined rows). Totals and changes side by side:
-- never sum over all steps. Amounts in store currency; null where no row states the amount.
{% set steps = margin_bridge_steps() %}

with landed_rows as (

    select * from {{ ref('int_landed_rows_classified') }}

),

days as (

    select * from {{ ref('int_margin_days_summed') }}

),

spend as (

    select * from {{ ref('fct_marketing_spend') }}

),

stores as (

    select distinct store_id from landed_rows

),

landed_measured as (

    select store_id, 'raw_total' as step_id, null as rule, coalesce(sum(amount), 0) as amount, sum(row_count) as row_count
    from landed_rows
    group by store_id
    union all
    select store_id, step_group, rule, -coalesce(amount, 0), row_count
    from landed_rows
    where step_group <> 'kept'

),

entries_summed as (

    select
        store_id,
        {%- for step in steps if step.source == 'entries' %}
        sum({{ step.id }}_step_amount) as {{ step.id }}_amount,
        sum({{ step.id }}_step_count) as {{ step.id }}_count{{ "," if not loop.last }}
        {%- endfor %}
    from days
    group by store_id

),

spend_summed as (

    select
        store_id,
        {%- for step in steps if step.basis is defined %}
        -sum(case when basis = '{{ step.basis }}' then spend_amount end) as {{ step.id }}_amount,
        sum(case when basis = '{{ step.basis }}' then 1 else 0 end) as {{ step.id }}_count,
        {%- endfor %}
        sum(spend_amount) as spend_amount
    from spend
    group by store_id

),

final as (

    select store_id, step_id, rule, amount, row_count from landed_measured
    {%- for step in steps if step.source == 'entries' %}
    union all
    select store_id, '{{ step.id }}', null, {{ step.id }}_amount, {{ step.id }}_count from entries_summed
    {%- endfor %}
    {%- for step in steps if step.basis is defined %}
    union all
    select store_id, '{{ step.id }}', null, {{ step.id }}_amount, {{ step.id }}_count from spend_summed
    {%- endfor %}
    union all
    select store_id, 'spend_missing', null, null, 1 from stores
    where store_id not in (select store_id from spend_summed)
    union all
    select stores.store_id, 'cm3', null, entries_summed.cm2_amount - spend_summed.spend_amount, entries_summed.cm2_count
    from stores
    left join entries_summed on stores.store_id = entries_summed.store_id
    left join spend_summed on stores.store_id = spend_summed.store_id

)

select * from final
