-- Grain: one customer whom at least one horizon judges, with the units that each touch rule gives the customer to.
-- 'first' is the acquisition touch; 'last' is the last touch of the first order, whatever won the customer before.
{{ config(materialized='ephemeral') }}

with windows as (

    select store_id, min(start_date) as start_date, max(end_date) as end_date
    from {{ ref('int_variant_windows_set') }}
    group by store_id

),

customers_acquired as (

    select * from {{ ref('int_customers_acquired') }} as acquired
    where {{ is_touched('acquired', 'int_subjects_touched', ['customer_key']) }}

),

final as (

    select
        customers_acquired.store_id,
        customers_acquired.customer_key,
        customers_acquired.first_order_date as entered_date,
        customers_acquired.acquisition_channel as first_channel,
        case
            when {{ is_campaign('customers_acquired.acquisition_campaign') }}
                then
                    {{ campaign_unit_id(
                        'customers_acquired.acquisition_channel', 'customers_acquired.acquisition_campaign'
                    ) }}
        end as first_campaign,
        customers_acquired.first_order_channel as last_channel,
        case
            when {{ is_campaign('customers_acquired.first_order_campaign') }}
                then
                    {{ campaign_unit_id(
                        'customers_acquired.first_order_channel', 'customers_acquired.first_order_campaign'
                    ) }}
        end as last_campaign
    from customers_acquired
    inner join windows
        on
            customers_acquired.store_id = windows.store_id
            and customers_acquired.first_order_date between windows.start_date and windows.end_date

)

select * from final
