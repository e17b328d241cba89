-- Grain: one partner or category (unit_kind, unit_id), period and customer, guest order or nameless refund.
-- Line margins by order date of the acquisition window (period 'current') and of the window before it ('previous').
-- One order may hold lines of several units: orders_count must not be summed over units.
{{ config(materialized='kept', key=['subject_key'], touched='int_subjects_touched', is_told=false, rows_anew_are_read=true) }}
with windows as (

    select * from {{ ref('int_decision_windows_set') }}

),

entries as (

    select * from {{ ref('int_assortment_entries_assigned') }}

),

purchases_judged as (

    select * from {{ ref('int_assortment_purchases_judged') }}

),

-- a subject is of one store and at most one customer, a store's period has one span of days: to group by these too would cost more
entries_summed as (

    select
        any_value(entries.store_id) as store_id,
        entries.unit_kind,
        entries.unit_id,
        windows.period,
        entries.subject_key,
        any_value(entries.customer_key) as customer_key,
        min(entries.entry_date) as first_entry_date,
        any_value(windows.start_date) as start_date,
        any_value(windows.end_date) as end_date,
        {{ evidence_sums() | indent(8) }}
    from entries
    inner join windows
        on entries.store_id = windows.store_id and entries.entry_date between windows.start_date and windows.end_date
    group by entries.unit_kind, entries.unit_id, windows.period, entries.subject_key

),

final as (

    select
        entries_summed.store_id,
        entries_summed.unit_kind,
        entries_summed.unit_id,
        entries_summed.period,
        entries_summed.subject_key,
        entries_summed.customer_key,
        coalesce(purchases_judged.entered_date, entries_summed.first_entry_date) as entered_date,
        {% for name in evidence_sum_names() -%}
        entries_summed.{{ name }},
        {% endfor -%}
        case
            when purchases_judged.entered_date between entries_summed.start_date and entries_summed.end_date
                then purchases_judged.has_repeated
        end as has_repeated
    from entries_summed
    left join purchases_judged
        on
            entries_summed.unit_kind = purchases_judged.unit_kind
            and entries_summed.unit_id = purchases_judged.unit_id
            and entries_summed.subject_key = purchases_judged.subject_key

)

select * from final
