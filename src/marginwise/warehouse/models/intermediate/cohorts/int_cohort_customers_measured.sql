-- Grain: one acquired customer up to the as-of date, left-censored ones included (flag). What the customer brought
-- within 30, 60, 90 and more days; null where those have not all passed, so that young and old are comparable.
{{ config(materialized='kept', key=['store_id', 'customer_key'], touched='int_subjects_touched') }}
{% set horizons = cohort_horizons() %}

with periods as (

    select * from {{ ref('int_periods_set') }}

),

customers_acquired as (

    select * from {{ ref('int_customers_acquired') }} as acquired
    where {{ is_touched('acquired', 'int_subjects_touched', ['store_id', 'customer_key']) }}

),

entries as (

    select * from {{ ref('int_entries_touched') }}

),

customers as (

    select
        customers_acquired.store_id,
        customers_acquired.customer_key,
        customers_acquired.acquisition_channel as channel_name,
        customers_acquired.acquisition_campaign as campaign_name,
        customers_acquired.first_order_id,
        customers_acquired.first_order_date,
        customers_acquired.is_left_censored,
        {{ days_between('customers_acquired.first_order_date', 'periods.as_of_date') }} as age_days
    from customers_acquired
    inner join periods on customers_acquired.store_id = periods.store_id
    where customers_acquired.first_order_date <= periods.as_of_date

),

aged as (

    select
        customers.*,
        entries.net_revenue_amount,
        entries.cm2_amount,
        entries.order_id = customers.first_order_id as is_first_order,
        entries.order_id is not null and not entries.is_cancelled
        and entries.entry_date > customers.first_order_date as is_repeat,
        {{ days_between('customers.first_order_date', 'entries.entry_date') }} as days_since
    from customers
    inner join entries
        on customers.store_id = entries.store_id and customers.customer_key = entries.customer_key
    where entries.entry_date >= customers.first_order_date

),

final as (

    select
        store_id,
        customer_key,
        channel_name,
        campaign_name,
        first_order_date,
        {{ month_of('first_order_date') }} as cohort_month_date,
        is_left_censored,
        {{ summed('case when is_first_order then net_revenue_amount end') }} as first_order_net_revenue_amount
        {%- for days in horizons %},
        case
            when age_days >= {{ days }}
                then {{ summed('case when days_since <= ' ~ days ~ ' then net_revenue_amount else 0 end') }}
        end as net_revenue_{{ days }}d_amount,
        case when age_days >= {{ days }} then {{ summed('case when days_since <= ' ~ days ~ ' then cm2_amount end') }} end
            as cm2_{{ days }}d_amount
        {%- endfor %}
        {%- for days in (30, 90) %},
        case
            when age_days >= {{ days }} then max(case when is_repeat and days_since <= {{ days }} then 1 else 0 end)
        end as repeat_{{ days }}d_customers_count
        {%- endfor %}
    from aged
    group by store_id, customer_key, channel_name, campaign_name, first_order_date, is_left_censored, age_days

)

select * from final
