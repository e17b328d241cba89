-- First touch at the configured horizon is the evidence that is judged, unit by unit; and under every touch rule and
-- horizon the channels, Unassigned and Guests together are the store of that window, reckoned from the facts.
with windows as (

    select * from {{ ref('int_variant_windows_set') }}

),

variants as (

    select * from {{ ref('mart_decision_variant_units') }}

),

evidence as (

    select
        store_id, unit_kind, unit_id,
        count(*) as customers_count,
        sum(net_revenue_amount) as net_revenue_amount,
        sum(cm2_amount) as cm2_amount,
        sum(unknown_cost_revenue_amount) as unknown_cost_revenue_amount,
        sum(case when has_repeated then 1 else 0 end) as repeated_customers_count
    from {{ ref('mart_decision_evidence') }}
    where unit_kind in ('channel', 'campaign')
    group by store_id, unit_kind, unit_id

),

units as (

    select * from {{ ref('mart_decision_units') }}
    where unit_kind in ('channel', 'campaign')

),

judged as (

    select * from variants
    where touch_rule = 'first' and horizon_days = {{ var('horizon_days') }}

),

facts as (

    select store_id, customer_key, order_date as entry_date, net_revenue_amount, coalesce(cm2_amount, 0) as cm2_amount
    from {{ ref('fct_order_lines') }}
    where is_counted
    union all
    select store_id, customer_key, entry_date, net_revenue_amount, coalesce(cm2_amount, 0)
    from {{ ref('int_margin_entries_united') }}
    where entry_kind = 'orderless_refund'

),

store_amounts as (

    select
        windows.store_id, windows.horizon_days, sum(facts.net_revenue_amount) as net_revenue_amount,
        sum(facts.cm2_amount) as cm2_amount
    from windows
    inner join facts on windows.store_id = facts.store_id
    left join {{ ref('int_customers_acquired') }} as customers
        on facts.store_id = customers.store_id and facts.customer_key = customers.customer_key
    where
        coalesce(customers.first_order_date, facts.entry_date) between windows.start_date and windows.end_date
        and (facts.customer_key is null or customers.customer_key is not null)
        and (
            facts.customer_key is null
            or {{ days_between('customers.first_order_date', 'facts.entry_date') }} between 0 and windows.horizon_days
        )
    group by windows.store_id, windows.horizon_days

),

store_spend as (

    select windows.store_id, windows.horizon_days, sum(spend.spend_amount) as spend_amount
    from windows
    inner join {{ ref('fct_marketing_spend') }} as spend
        on windows.store_id = spend.store_id and spend.spend_date between windows.start_date and windows.end_date
    group by windows.store_id, windows.horizon_days

),

stores as (

    select
        store_id, touch_rule, horizon_days, sum(net_revenue_amount) as net_revenue_amount,
        sum(cm2_amount) as cm2_amount, sum(spend_amount) as spend_amount
    from variants
    where unit_kind = 'channel'
    group by store_id, touch_rule, horizon_days

)

select 'evidence' as what, judged.store_id, judged.unit_id
from judged
full join evidence
    on
        judged.store_id = evidence.store_id
        and judged.unit_kind = evidence.unit_kind
        and judged.unit_id = evidence.unit_id
where
    judged.store_id is null
    {%- for name in ('customers_count', 'net_revenue_amount', 'cm2_amount', 'unknown_cost_revenue_amount',
                     'repeated_customers_count') %}
    or judged.{{ name }} <> coalesce(evidence.{{ name }}, 0)
    {%- endfor %}
union all
select 'units', units.store_id, units.unit_id
from units
left join judged
    on units.store_id = judged.store_id and units.unit_kind = judged.unit_kind and units.unit_id = judged.unit_id
where
    judged.store_id is null
    or units.spend_amount is distinct from judged.spend_amount
    or units.has_spend <> judged.has_spend
    or units.is_paid <> judged.is_paid
union all
select 'store', stores.store_id, stores.touch_rule
from stores
left join store_amounts
    on stores.store_id = store_amounts.store_id and stores.horizon_days = store_amounts.horizon_days
left join store_spend
    on stores.store_id = store_spend.store_id and stores.horizon_days = store_spend.horizon_days
where
    stores.net_revenue_amount <> coalesce(store_amounts.net_revenue_amount, 0)
    or stores.cm2_amount <> coalesce(store_amounts.cm2_amount, 0)
    or coalesce(stores.spend_amount, 0) <> coalesce(store_spend.spend_amount, 0)
