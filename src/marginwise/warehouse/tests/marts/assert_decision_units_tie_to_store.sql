-- Channels, Unassigned and Guests together are the store: the revenue, CM2 and spend of all customers judged, reckoned
-- from the facts without channels, of those whose evidence is made anew. Units are the sums of their evidence; partners and
-- categories carry no more spend than the store's.
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
    where {{ is_touched('customers', 'int_subjects_touched', ['customer_key']) }}

),

entries as not materialized (

    {{ entries_to_tie() }}

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

expected as (

    select
        windows.store_id,
        coalesce(sum(store_entries.net_revenue_amount), 0) as net_revenue_amount,
        coalesce(sum(store_entries.cm2_amount), 0) as cm2_amount
    from windows
    left join store_entries on windows.store_id = store_entries.store_id
    group by windows.store_id

),

evidence_anew as (

    select store_id, sum(net_revenue_amount) as net_revenue_amount, sum(cm2_amount) as cm2_amount
    from {{ rows_anew('int_acquired_margins_summed') }}
    where period = 'current'
    group by store_id

),

evidence_summed as (

    select store_id, sum(net_revenue_amount) as net_revenue_amount from {{ ref('mart_decision_evidence') }}
    where unit_kind = 'channel'
    group by store_id

),

spend as (

    select windows.store_id, coalesce(sum(spend.spend_amount), 0) as spend_amount
    from windows
    left join {{ ref('fct_marketing_spend') }} as spend
        on windows.store_id = spend.store_id and spend.spend_date between windows.start_date and windows.end_date
    group by windows.store_id

),

units as (

    select
        store_id, unit_kind,
        coalesce(sum(net_revenue_amount), 0) as net_revenue_amount,
        coalesce(sum(spend_amount), 0) as spend_amount
    from {{ ref('mart_decision_units') }}
    group by store_id, unit_kind

)

select expected.store_id, 'evidence' as what, expected.net_revenue_amount, evidence_anew.net_revenue_amount as told_amount
from expected
left join evidence_anew on expected.store_id = evidence_anew.store_id
where
    expected.net_revenue_amount <> coalesce(evidence_anew.net_revenue_amount, 0)
    or expected.cm2_amount <> coalesce(evidence_anew.cm2_amount, 0)
union all
select spend.store_id, 'channels', evidence_summed.net_revenue_amount, units.net_revenue_amount
from spend
left join units on spend.store_id = units.store_id and units.unit_kind = 'channel'
left join evidence_summed on spend.store_id = evidence_summed.store_id
where
    coalesce(evidence_summed.net_revenue_amount, 0) <> coalesce(units.net_revenue_amount, 0)
    or spend.spend_amount <> coalesce(units.spend_amount, 0)
union all
select spend.store_id, units.unit_kind, spend.spend_amount, units.spend_amount
from spend
inner join units on spend.store_id = units.store_id and units.unit_kind in ('partner', 'category')
where units.spend_amount > spend.spend_amount + 0.01
