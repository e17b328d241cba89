-- Cohorts lose nothing up to the as-of date: every customer, all revenue and all spend, with and without conversions,
-- and campaigns sum to their channels.
with periods as (

    select * from {{ ref('int_periods_set') }}

),

cohorts as (

    select
        store_id,
        sum(customers_count + censored_customers_count) as customers_count,
        sum(month_net_revenue_amount) as net_revenue_amount,
        coalesce(sum(month_spend_amount), 0) as spend_amount
    from {{ ref('mart_channel_cohorts') }}
    group by store_id

),

campaigns as (

    select
        store_id,
        sum(customers_count + censored_customers_count) as customers_count,
        sum(month_net_revenue_amount) as net_revenue_amount,
        coalesce(sum(month_spend_amount), 0) as spend_amount
    from {{ ref('mart_campaign_cohorts') }}
    group by store_id

),

customers as (

    select customers.store_id, count(*) as customers_count
    from {{ ref('int_customers_acquired') }} as customers
    inner join periods on customers.store_id = periods.store_id
    where customers.first_order_date <= periods.as_of_date
    group by customers.store_id

),

spend as (

    select spend.store_id, sum(spend.spend_amount) as spend_amount
    from {{ ref('fct_marketing_spend') }} as spend
    inner join periods on spend.store_id = periods.store_id
    where spend.spend_date <= periods.as_of_date
    group by spend.store_id

),

revenues as (

    select days.store_id, sum(days.net_revenue_amount) as net_revenue_amount
    from {{ ref('mart_daily_revenue') }} as days
    inner join periods on days.store_id = periods.store_id
    where days.revenue_date <= periods.as_of_date
    group by days.store_id

)

select cohorts.store_id, cohorts.customers_count, cohorts.net_revenue_amount, cohorts.spend_amount
from cohorts
left join campaigns on cohorts.store_id = campaigns.store_id
left join customers on cohorts.store_id = customers.store_id
left join spend on cohorts.store_id = spend.store_id
left join revenues on cohorts.store_id = revenues.store_id
where
    cohorts.customers_count <> coalesce(customers.customers_count, 0)
    or cohorts.customers_count is distinct from campaigns.customers_count
    or cohorts.net_revenue_amount is distinct from revenues.net_revenue_amount
    or cohorts.net_revenue_amount is distinct from campaigns.net_revenue_amount
    or cohorts.spend_amount <> coalesce(spend.spend_amount, 0)
    or cohorts.spend_amount <> campaigns.spend_amount
