-- Grain: one customer whose record states what acquired it: the newest version that states a known channel or an
-- own one.
{{ config(materialized='view') }}

with customers as (

    select * from {{ ref('stg_customers') }} as stated
    where {{ is_touched('stated', 'int_customers_touched', ['store_id', 'customer_id']) }}

),

channels as (

    select channel, channel_name from {{ ref('int_channels_grouped') }}
    where
        channel <> '' and source = '' and medium = '' and campaign = '' and is_paid = ''
        and channel_name <> 'Unassigned'

),

ranked as (

    select
        customers.store_id,
        customers.customer_id,
        channels.channel_name,
        row_number() over (
            partition by customers.store_id, customers.customer_id
            order by customers.updated_at desc nulls last, customers._file_hash asc, customers._row_number asc
        ) as version_rank
    from customers
    inner join channels on {{ traffic_label('customers.acquisition_channel') }} = channels.channel

),

final as (

    select store_id, customer_id, channel_name from ranked
    where version_rank = 1

)

select * from final
