-- Grain: one unit (unit_kind, unit_id) with evidence in the window or the one before it, summed over its customers.
-- Beside it what the store as a whole took in the same sense (`store_…`), for shares.
with evidence as not materialized (

    select * from {{ ref('int_decision_evidence_united') }}

),

days as (

    select * from {{ ref('int_margin_days_summed') }}

),

windows as (

    select * from {{ ref('int_decision_windows_set') }}
    where period = 'current'

),

-- partners and categories are measured against all that was sold in the window, also what belongs to none of them
window_revenues as (

    select days.store_id, sum(days.net_revenue_step_amount) as net_revenue_amount
    from days
    inner join windows
        on days.store_id = windows.store_id and days.entry_date between windows.start_date and windows.end_date
    group by days.store_id

),

-- summed within each window first: one pass over the evidence, which is large
periods_summed as (

    select
        store_id,
        unit_kind,
        unit_id,
        period,
        {% for name in evidence_sum_names() -%}
        sum({{ name }}) as {{ name }},
        {% endfor -%}
        count(case when orders_count > 0 then 1 end) as customers_count
    from evidence
    group by store_id, unit_kind, unit_id, period

),

units_summed as (

    select
        store_id,
        unit_kind,
        unit_id,
        {% for name in evidence_sum_names() -%}
        max(case when period = 'current' then {{ name }} end) as {{ name }},
        {% endfor -%}
        max(case when period = 'previous' then net_revenue_amount end) as previous_net_revenue_amount,
        max(case when period = 'current' then customers_count else 0 end) as customers_count
    from periods_summed
    group by store_id, unit_kind, unit_id

),

-- channels are measured against the revenue of all customers judged, guests included
acquired_revenues as (

    select
        store_id,
        sum(net_revenue_amount) as net_revenue_amount,
        sum(case when unit_id in ('Unassigned', 'Guests') then net_revenue_amount else 0 end) as unattributed_amount
    from units_summed
    where unit_kind = 'channel' and net_revenue_amount is not null
    group by store_id

),

final as (

    select
        units_summed.*,
        case
            when units_summed.unit_kind in ('channel', 'campaign') then acquired_revenues.net_revenue_amount
            else window_revenues.net_revenue_amount
        end as store_net_revenue_amount,
        case
            when units_summed.unit_kind in ('channel', 'campaign') then acquired_revenues.unattributed_amount
            else
                window_revenues.net_revenue_amount
                - sum(units_summed.net_revenue_amount) over (partition by units_summed.store_id, units_summed.unit_kind)
        end as store_unattributed_amount
    from units_summed
    left join window_revenues on units_summed.store_id = window_revenues.store_id
    left join acquired_revenues on units_summed.store_id = acquired_revenues.store_id

)

select * from final
