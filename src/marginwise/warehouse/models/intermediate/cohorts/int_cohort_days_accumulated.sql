-- Grain: one channel, campaign, cohort month and day since the first order: CM2 of that day, for the payback.
-- New (not left-censored) customers up to the as-of date; a channel's cohort is the sum over its campaigns.
with periods as (

    select * from {{ ref('int_periods_set') }}

),

customer_days as (

    select * from {{ ref('int_cohort_customer_days_summed') }}

),

final as (

    select
        customer_days.store_id,
        customer_days.channel_name,
        customer_days.campaign_name,
        customer_days.cohort_month_date,
        customer_days.days_since,
        {{ summed('customer_days.cm2_amount') }} as cm2_amount
    from customer_days
    inner join periods on customer_days.store_id = periods.store_id and customer_days.entry_date <= periods.as_of_date
    group by 1, 2, 3, 4, 5

)

select * from final
