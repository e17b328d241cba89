-- Channels, Unassigned and Guests together are the store: the revenue, CM2 and spend of all customers judged, reckoned
-- from the facts without channels. Partners and categories carry no more spend than the store's.
with windows as (

    select * from {{ ref('int_decision_windows_set') }}
    where period = 'current'

),

judged as (

    select customers.store_id, customers.customer_key, customers.first_order_date
    from {{ ref('int_customers_acquired') }} as customers
    inner join windows
        on
            customers.store_id = windows.store_id
            and customers.first_order_date between windows.start_date and windows.end_date

),

entries as not materialized (

    select store_id, customer_key, order_date as entry_date, net_revenue_amount, coalesce(cm2_amount, 0) as cm2_amount
    from {{ ref('fct_order_lines') }}
    where is_counted
    union all
    select store_id, customer_key, entry_date, net_revenue_amount, coalesce(cm2_amount, 0)
    from {{ ref('int_margin_entries_united') }}
    where entry_kind = 'orderless_refund'

),

store_entries as (

    select entries.store_id, entries.net_revenue_amount, entries.cm2_amount
    from entries
    inner join judged
        on
            entries.store_id = judged.store_id
            and entries.customer_key = judged.customer_key
            and entries.entry_date >= judged.first_order_date
            and {{ days_between('judged.first_order_date', 'entries.entry_date') }} <= {{ var('horizon_days') }}
    union all
    select entries.store_id, entries.net_revenue_amount, entries.cm2_amount
    from entries
    inner join windows
        on entries.store_id = windows.store_id and entries.entry_date between windows.start_date and windows.end_date
    where entries.customer_key is null

),

store_sums as (

    select store_id, sum(net_revenue_amount) as net_revenue_amount, sum(cm2_amount) as cm2_amount from store_entries
    group by store_id

),

store_spend as (

    select spend.store_id, sum(spend.spend_amount) as spend_amount
    from {{ ref('fct_marketing_spend') }} as spend
    inner join windows
        on spend.store_id = windows.store_id and spend.spend_date between windows.start_date and windows.end_date
    group by spend.store_id

),

expected as (

    select windows.store_id, store_sums.net_revenue_amount, store_sums.cm2_amount, store_spend.spend_amount
    from windows
    left join store_sums on windows.store_id = store_sums.store_id
    left join store_spend on windows.store_id = store_spend.store_id

),

units as (

    select store_id, unit_kind, sum(net_revenue_amount) as net_revenue_amount, sum(spend_amount) as spend_amount
    from {{ ref('mart_decision_units') }}
    group by store_id, unit_kind

),

evidence as (

    select store_id, sum(net_revenue_amount) as net_revenue_amount, sum(cm2_amount) as cm2_amount
    from {{ ref('mart_decision_evidence') }}
    where unit_kind = 'channel'
    group by store_id

)

select expected.store_id, 'channels' as what, units.net_revenue_amount, evidence.cm2_amount, units.spend_amount
from expected
left join units on expected.store_id = units.store_id and units.unit_kind = 'channel'
left join evidence on expected.store_id = evidence.store_id
where
    coalesce(expected.net_revenue_amount, 0) <> coalesce(units.net_revenue_amount, 0)
    or coalesce(expected.net_revenue_amount, 0) <> coalesce(evidence.net_revenue_amount, 0)
    or coalesce(expected.cm2_amount, 0) <> coalesce(evidence.cm2_amount, 0)
    or coalesce(expected.spend_amount, 0) <> coalesce(units.spend_amount, 0)
union all
select expected.store_id, units.unit_kind, units.net_revenue_amount, null, units.spend_amount
from expected
inner join units on expected.store_id = units.store_id and units.unit_kind in ('partner', 'category')
where units.spend_amount > coalesce(expected.spend_amount, 0) + 0.01
