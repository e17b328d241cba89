-- Grain: one acquisition month, channel and campaign: its customers summed, beside the month's own orders and spend.
-- Months with spend and no customer stay, and with customers and no spend. A channel is the sum of its campaigns.
{%- set customer_sums = cohort_customer_sums() %}
{%- set month_sums = [
    'month_net_revenue_amount', 'month_cm2_amount', 'month_spend_amount', 'acquisition_spend_amount',
] %}

with customers as (

    select * from {{ ref('int_cohort_customers_measured') }}

),

months as (

    select * from {{ ref('int_traffic_months_measured') }}

),

-- what was brought within so many days counts of those for whom they have passed, so that young and old are comparable
customers_flagged as (

    select
        customers.store_id, customers.channel_name, customers.campaign_name, customers.is_left_censored,
        customers.first_order_net_revenue_amount,
        {{ month_of('customers.first_order_date') }} as cohort_month_date,
        {{ days_between('customers.first_order_date', 'periods.as_of_date') }} as age_days,
        case when is_left_censored then 1 else 0 end as censored_customers_count,
        case when is_left_censored then 0 else 1 end as customers_count
        {%- for days in cohort_horizons() %}
        {%- set is_mature = days_between('customers.first_order_date', 'periods.as_of_date') ~ ' >= ' ~ days %},
        case when {{ is_mature }} then 1 else 0 end as mature_{{ days }}d_customers_count,
        case when {{ is_mature }} then net_revenue_{{ days }}d_amount end as net_revenue_{{ days }}d_amount,
        case when {{ is_mature }} then cm2_{{ days }}d_amount end as cm2_{{ days }}d_amount
        {%- if days in (30, 90) %},
        case when {{ is_mature }} then repeat_{{ days }}d_customers_count end as repeat_{{ days }}d_customers_count
        {%- endif %}
        {%- endfor %}
    from customers
    inner join {{ ref('int_periods_set') }} as periods
        on customers.store_id = periods.store_id and customers.first_order_date <= periods.as_of_date

),

united as (

    select
        store_id, cohort_month_date, channel_name, campaign_name, censored_customers_count, customers_count,
        case when not is_left_censored then age_days end as youngest_age_days,
        {%- for name in customer_sums %}
        case when not is_left_censored then {{ name }} end as {{ name }},
        {%- endfor %}
        {%- for name in month_sums %}
        null as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from customers_flagged
    union all
    select
        store_id, cohort_month_date, channel_name, campaign_name, 0, 0, null,
        {%- for name in customer_sums %}
        null,
        {%- endfor %}
        {{ month_sums | join(', ') }}
    from months

),

final as (

    select
        store_id,
        cohort_month_date,
        channel_name,
        campaign_name,
        sum(censored_customers_count) as censored_customers_count,
        sum(customers_count) as customers_count,
        min(youngest_age_days) as youngest_age_days,
        {%- for name in customer_sums + month_sums %}
        sum({{ name }}) as {{ name }}{{ "," if not loop.last }}
        {%- endfor %}
    from united
    group by store_id, cohort_month_date, channel_name, campaign_name

)

select * from final
