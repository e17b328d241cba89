-- Grain: one month, channel and campaign up to the as-of date: what its orders (last touch) brought, and its spend.
-- acquisition_spend_amount is the part spent on days whose first orders count as new, month_spend_amount all of it.
with periods as (

    select * from {{ ref('int_periods_set') }}

),

days as (

    select * from {{ ref('int_margin_days_summed') }}

),

spend as (

    select * from {{ ref('fct_marketing_spend') }}

),

united as (

    select
        store_id, entry_date as activity_date, coalesce(channel_name, 'Unassigned') as channel_name,
        coalesce(campaign_name, '(not set)') as campaign_name, net_revenue_step_amount as net_revenue_amount,
        cm2_step_amount as cm2_amount, null as spend_amount
    from days
    union all
    select store_id, spend_date, channel_name, campaign_name, 0, 0, spend_amount
    from spend

),

final as (

    select
        united.store_id,
        {{ month_of('united.activity_date') }} as cohort_month_date,
        united.channel_name,
        united.campaign_name,
        sum(united.net_revenue_amount) as month_net_revenue_amount,
        sum(united.cm2_amount) as month_cm2_amount,
        sum(united.spend_amount) as month_spend_amount,
        sum(case when united.activity_date >= periods.censored_until_date then united.spend_amount end)
            as acquisition_spend_amount
    from united
    inner join periods on united.store_id = periods.store_id
    where united.activity_date <= periods.as_of_date
    group by united.store_id, {{ month_of('united.activity_date') }}, united.channel_name, united.campaign_name

)

select * from final
