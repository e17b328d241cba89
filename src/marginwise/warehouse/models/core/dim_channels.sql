-- Grain: one channel of one store. A channel the store named itself is paid when spend or paid visits name it.

with stores as (

    select store_id from {{ ref('int_periods_set') }}
    union
    select store_id from {{ ref('stg_marketing_spend') }}

),

grouped as (

    select channel, channel_name, is_paid from {{ ref('int_channels_grouped') }}

),

names as (

    select * from {{ ref('channel_names') }}

),

found as (

    select channel_name, max(case when is_paid = 'true' then 1 else 0 end) as has_paid_visits from grouped
    group by channel_name
    union
    select 'Unassigned', 0 where not exists (select 1 from grouped where channel_name = 'Unassigned')

),

spent as (

    select spend.store_id, grouped.channel_name, sum(spend.spend_amount) as spend_amount
    from {{ ref('stg_marketing_spend') }} as spend
    inner join (select distinct channel, channel_name from grouped where channel <> '') as grouped
        on {{ traffic_label('spend.channel') }} = grouped.channel
    group by spend.store_id, grouped.channel_name

),

declared as (

    select distinct grouped.channel_name
    from {{ source('ops', 'assumed_spend') }} as spend
    inner join grouped on {{ traffic_label('spend.channel') }} = grouped.channel

),

judged as (

    select
        stores.store_id,
        found.channel_name,
        coalesce(
            names.is_paid,
            found.has_paid_visits = 1 or coalesce(spent.spend_amount, 0) <> 0 or declared.channel_name is not null
        ) as is_paid,
        names.lever
    from stores
    cross join found
    left join names on found.channel_name = names.channel_name
    left join spent on stores.store_id = spent.store_id and found.channel_name = spent.channel_name
    left join declared on found.channel_name = declared.channel_name

),

final as (

    select
        {{ key(['store_id', 'channel_name']) }} as channel_key,
        store_id,
        channel_name,
        is_paid,
        coalesce(lever, case when is_paid then 'budget' else 'effort' end) as lever
    from judged

)

select * from final
