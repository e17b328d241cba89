-- Grain: one channel, campaign, cohort month and day since the first order: CM2 of that day, for the payback.
-- New (not left-censored) customers up to the as-of date; a channel's cohort is the sum over its campaigns.
with periods as (

    select * from {{ ref('int_periods_set') }}

),

customers as (

    select * from {{ ref('int_cohort_customers_measured') }}
    where not is_left_censored

),

entries as (

    select * from {{ ref('int_margin_entries_united') }}

),

final as (

    select
        customers.store_id,
        customers.channel_name,
        customers.campaign_name,
        customers.cohort_month_date,
        {{ days_between('customers.first_order_date', 'entries.entry_date') }} as days_since,
        {{ summed('entries.cm2_amount') }} as cm2_amount
    from customers
    inner join entries
        on customers.store_id = entries.store_id and customers.customer_key = entries.customer_key
    inner join periods on customers.store_id = periods.store_id
    where entries.entry_date between customers.first_order_date and periods.as_of_date
    group by 1, 2, 3, 4, 5

)

select * from final
