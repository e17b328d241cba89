-- Grain: one horizon (horizon_days) and customer, guest order or nameless refund (subject_key) of that horizon's window,
-- beside it the units that first and last touch give it to. Never sum over horizons, nor over channels and campaigns.
{{ config(materialized='kept', key=['subject_key'], touched='int_subjects_touched', is_told=false, rows_anew_are_read=true) }}
with windows as (

    select * from {{ ref('int_variant_windows_set') }}

),

customers as (

    select * from {{ ref('int_variant_customers_placed') }}

),

entries as not materialized (

    select
        store_id,
        customer_key,
        subject_key,
        entry_date,
        net_revenue_amount,
        cm2_amount,
        {{ margin_costs() | indent(8) }} as cost_amount,
        case when cm1_amount is null then net_revenue_amount end as unknown_cost_revenue_amount,
        {{ is_sale_entry() }} as is_sale
    from {{ ref('int_entries_touched') }}

),

judged_entries as (

    select
        entries.*,
        windows.horizon_days,
        entries.is_sale and entries.entry_date > customers.entered_date as is_repeat
    from customers
    inner join windows
        on
            customers.store_id = windows.store_id
            and customers.entered_date between windows.start_date and windows.end_date
    inner join entries
        on customers.store_id = entries.store_id and customers.customer_key = entries.customer_key
    where
        entries.entry_date >= customers.entered_date
        and {{ days_between('customers.entered_date', 'entries.entry_date') }} <= windows.horizon_days
    union all
    select entries.*, windows.horizon_days, null
    from entries
    inner join windows
        on entries.store_id = windows.store_id and entries.entry_date between windows.start_date and windows.end_date
    where entries.customer_key is null

),

summed as (

    select
        store_id,
        horizon_days,
        subject_key,
        {% for name in ('net_revenue', 'cm2', 'cost', 'unknown_cost_revenue') -%}
        cast(coalesce(sum({{ name }}_amount), 0) as decimal(18, 4)) as {{ name }}_amount,
        {% endfor -%}
        max(case when is_repeat then 1 when not is_repeat then 0 end) = 1 as has_repeated
    from judged_entries
    group by store_id, horizon_days, subject_key

),

final as (

    select
        summed.store_id,
        summed.horizon_days,
        summed.subject_key,
        {% for rule in variant_touch_rules() -%}
        coalesce(customers.{{ rule }}_channel, 'Guests') as {{ rule }}_channel,
        customers.{{ rule }}_campaign,
        {% endfor -%}
        summed.net_revenue_amount,
        summed.cm2_amount,
        summed.cost_amount,
        summed.unknown_cost_revenue_amount,
        summed.has_repeated
    from summed
    left join customers on summed.store_id = customers.store_id and summed.subject_key = customers.customer_key

)

select * from final
