{# Days after the first order at which a cohort is looked at. #}
{% macro cohort_horizons() -%} {{ return([30, 60, 90, 180, 365]) }} {%- endmacro %}

{# The first day of the month. #}
{% macro month_of(day) -%} cast({{ dbt.date_trunc('month', day) }} as date) {%- endmacro %}

{# What is summed over the customers of a cohort: null where none of them is old enough. #}
{% macro cohort_customer_sums() -%}
    {%- set names = ['first_order_net_revenue_amount'] -%}
    {%- for days in cohort_horizons() -%}
        {%- do names.extend([
            'mature_' ~ days ~ 'd_customers_count', 'net_revenue_' ~ days ~ 'd_amount', 'cm2_' ~ days ~ 'd_amount'
        ]) -%}
    {%- endfor -%}
    {{ return(names + ['repeat_30d_customers_count', 'repeat_90d_customers_count']) }}
{%- endmacro %}

{# Cohort economics per acquisition month and `keys` (channel_name, or also campaign_name), summed and divided once.
   The rates of the month's own orders (last touch) stand beside those of the customers acquired. #}
{% macro cohort_economics(keys) %}
{%- set grain = ['store_id', 'cohort_month_date'] + keys -%}
with cohorts as (

    select * from {{ ref('int_cohorts_summed') }}

),

days as (

    select * from {{ ref('int_cohort_days_accumulated') }}

),

periods as (

    select * from {{ ref('int_periods_set') }}

),

summed as (

    select
        {{ grain | join(', ') }},
        min(youngest_age_days) as youngest_age_days,
        {%- for name in ['customers_count', 'censored_customers_count'] + cohort_customer_sums() %}
        {{ "cast(sum(" ~ name ~ ") as bigint)" if name.endswith("count") else "sum(" ~ name ~ ")" }} as {{ name }},
        {%- endfor %}
        sum(acquisition_spend_amount) as spend_amount,
        sum(month_net_revenue_amount) as month_net_revenue_amount,
        sum(month_cm2_amount) as month_cm2_amount,
        sum(month_spend_amount) as month_spend_amount
    from cohorts
    group by {{ grain | join(', ') }}

),

-- the store's month: total spend pays for all customers, also those no channel claims
store_months as (

    select
        store_id,
        cohort_month_date,
        {{ rate_of('sum(month_net_revenue_amount)', 'sum(month_spend_amount)') }} as store_mer_rate,
        {{ rate_of('sum(first_order_net_revenue_amount)', 'sum(acquisition_spend_amount)') }} as store_amer_rate
    from cohorts
    group by store_id, cohort_month_date

),

-- what was spent comes back within the days that the youngest customer of the cohort has lived through
paid_cohort_days as (

    select
        {{ 'days.' ~ grain | join(', days.') }},
        days.days_since,
        days.cm2_amount,
        summed.spend_amount
    from summed
    inner join days
        on {% for column in grain %}summed.{{ column }} = days.{{ column }}{{ " and " if not loop.last }}{% endfor %}
    where summed.spend_amount is not null and days.days_since <= summed.youngest_age_days

),

running as (

    select
        {{ grain | join(', ') }},
        days_since,
        spend_amount,
        sum(sum(cm2_amount)) over (partition by {{ grain | join(', ') }} order by days_since) as running_cm2_amount
    from paid_cohort_days
    group by {{ grain | join(', ') }}, days_since, spend_amount

),

paybacks as (

    select {{ grain | join(', ') }}, min(days_since) as payback_days from running
    where running_cm2_amount >= spend_amount
    group by {{ grain | join(', ') }}

),

final as (

    select
        {{ 'summed.' ~ grain | join(',\n        summed.') }},
        {{ dbt.last_day('summed.cohort_month_date', 'month') }} <= periods.as_of_date as is_month_complete,
        summed.customers_count,
        summed.censored_customers_count,
        {%- for name in cohort_customer_sums() %}
        {{ 'cast(summed.' ~ name ~ ' as decimal(18, 4)) as ' ~ name if name.endswith('amount') else 'summed.' ~ name }},
        {%- endfor %}
        {%- for name in ('spend', 'month_net_revenue', 'month_cm2', 'month_spend') %}
        cast(summed.{{ name }}_amount as decimal(18, 4)) as {{ name }}_amount,
        {%- endfor %}
        {{ rate_of('summed.spend_amount', 'summed.customers_count') }} as ncac_amount,
        paybacks.payback_days,
        {{ rate_of('summed.repeat_30d_customers_count', 'summed.mature_30d_customers_count') }} as repeat_30d_rate,
        {{ rate_of('summed.repeat_90d_customers_count', 'summed.mature_90d_customers_count') }} as repeat_90d_rate,
        {{ rate_of('summed.month_net_revenue_amount', 'summed.month_spend_amount') }} as roas_rate,
        {{ rate_of('summed.month_cm2_amount', 'summed.month_spend_amount') }} as poas_rate,
        {{ rate_of('summed.first_order_net_revenue_amount', 'summed.spend_amount') }} as amer_rate,
        store_months.store_mer_rate,
        store_months.store_amer_rate
    from summed
    inner join periods on summed.store_id = periods.store_id
    left join store_months
        on summed.store_id = store_months.store_id and summed.cohort_month_date = store_months.cohort_month_date
    left join paybacks
        on
            {% for name in grain %}summed.{{ name }} = paybacks.{{ name }}{{ " and " if not loop.last }}{% endfor %}

)

select * from final
{% endmacro %}
