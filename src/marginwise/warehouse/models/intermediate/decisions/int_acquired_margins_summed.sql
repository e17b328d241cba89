-- Grain: one acquired customer of the acquisition window (period 'current') or of the window before it ('previous'),
-- or one guest order, or one refund that names neither order nor customer. Sums over the H days from the first order.
-- Mature and not left-censored customers only: everyone had the same H days, and a first order is a first order.
{{ config(materialized='kept', key=['subject_key'], touched='int_subjects_touched', is_told=false, rows_anew_are_read=true) }}
with windows as (

    select * from {{ ref('int_decision_windows_set') }}

),

customers_acquired as (

    select * from {{ ref('int_customers_acquired') }} as acquired
    where is_mature and not is_left_censored and {{ is_touched('acquired', 'int_subjects_touched', ['customer_key']) }}

),

entries as not materialized (

    select * from {{ ref('int_entries_touched') }}

),

subjects as (

    select
        customers_acquired.store_id,
        windows.period,
        customers_acquired.customer_key,
        customers_acquired.first_order_date as entered_date,
        customers_acquired.acquisition_channel as channel_name,
        customers_acquired.acquisition_campaign as campaign_name
    from customers_acquired
    inner join windows
        on
            customers_acquired.store_id = windows.store_id
            and customers_acquired.first_order_date between windows.start_date and windows.end_date

),

customer_entries as (

    select
        subjects.period, subjects.entered_date, subjects.channel_name as unit_name,
        subjects.campaign_name as unit_campaign, entries.*
    from subjects
    inner join entries
        on subjects.store_id = entries.store_id and subjects.customer_key = entries.customer_key
    where
        entries.entry_date >= subjects.entered_date
        and {{ days_between('subjects.entered_date', 'entries.entry_date') }} <= {{ var('horizon_days') }}

),

guest_entries as (

    select
        windows.period, entries.entry_date as entered_date, 'Guests' as unit_name, null as unit_campaign, entries.*
    from entries
    inner join windows
        on entries.store_id = windows.store_id and entries.entry_date between windows.start_date and windows.end_date
    where entries.customer_key is null

),

entries_united as (

    select * from customer_entries
    union all
    select * from guest_entries

),

final as (

    select
        store_id,
        period,
        subject_key,
        customer_key,
        unit_name as channel_name,
        unit_campaign as campaign_name,
        entered_date,
        {{ evidence_sums() | indent(8) }},
        case
            when customer_key is not null
                then max(case when entry_date > entered_date and {{ is_sale_entry() }} then 1 else 0 end) = 1
        end as has_repeated
    from entries_united
    group by store_id, period, subject_key, customer_key, unit_name, unit_campaign, entered_date

)

select * from final
