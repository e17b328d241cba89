-- Grain: one new (not left-censored) customer and day since the first order on which there was something: CM2 of that day.
{{ config(materialized='kept', key=['customer_key'], touched='int_subjects_touched', is_told=false) }}

with customers as (

    select * from {{ ref('int_customers_acquired') }} as acquired
    where not is_left_censored and {{ is_touched('acquired', 'int_subjects_touched', ['customer_key']) }}

),

entries as (

    select * from {{ ref('int_entries_touched') }}

),

final as (

    select
        customers.store_id,
        customers.customer_key,
        customers.acquisition_channel as channel_name,
        customers.acquisition_campaign as campaign_name,
        {{ month_of('customers.first_order_date') }} as cohort_month_date,
        entries.entry_date,
        {{ days_between('customers.first_order_date', 'entries.entry_date') }} as days_since,
        {{ summed('entries.cm2_amount') }} as cm2_amount
    from customers
    inner join entries
        on customers.store_id = entries.store_id and customers.customer_key = entries.customer_key
    where entries.entry_date >= customers.first_order_date
    group by 1, 2, 3, 4, 5, 6, 7

)

select * from final
