-- Grain: one acquired customer, left-censored ones included (flag). What the customer brought within 30, 60, 90 and more days
-- of the first order, passed or not: who sums customers takes only those for whom they have.
{{ config(materialized='kept', key=['customer_key'], touched='int_subjects_touched', is_told=false) }}

with customers as (

    select
        store_id,
        customer_key,
        acquisition_channel as channel_name,
        acquisition_campaign as campaign_name,
        first_order_id,
        first_order_date,
        is_left_censored
    from {{ ref('int_customers_acquired') }} as acquired
    where {{ is_touched('acquired', 'int_subjects_touched', ['customer_key']) }}

),

entries as (

    select * from {{ ref('int_entries_touched') }}

),

dated as (

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
        is_left_censored,
        {{ summed('case when is_first_order then net_revenue_amount end') }} as first_order_net_revenue_amount
        {%- for days in cohort_horizons() %},
        {{ summed('case when days_since <= ' ~ days ~ ' then net_revenue_amount else 0 end') }} as net_revenue_{{ days }}d_amount,
        {{ summed('case when days_since <= ' ~ days ~ ' then cm2_amount end') }} as cm2_{{ days }}d_amount
        {%- endfor %}
        {%- for days in (30, 90) %},
        max(case when is_repeat and days_since <= {{ days }} then 1 else 0 end) as repeat_{{ days }}d_customers_count
        {%- endfor %}
    from dated
    group by store_id, customer_key, channel_name, campaign_name, first_order_date, is_left_censored

)

select * from final
