-- First touch at the configured horizon is the evidence that is judged, unit by unit; and under every touch rule and
-- horizon the channels, Unassigned and Guests together are the store of that window, reckoned from the facts. Rows are asked of
-- those whose evidence is made anew; units are the sums of all rows.
with windows as (

    select * from {{ ref('int_variant_windows_set') }}

),

variants as (

    select * from {{ ref('mart_decision_variants') }}

),

variants_anew as (

    select * from {{ rows_anew('mart_decision_variants') }}

),

evidence_anew as (

    select
        *, {{ campaign_unit_id('channel_name', 'campaign_name') }} as campaign_id, channel_name as channel_id,
        {{ is_campaign('campaign_name') }} as is_of_campaign, true as is_of_channel
    from {{ rows_anew('int_acquired_margins_summed') }}
    where period = 'current'

),

judged as (

    {% for kind in ('channel', 'campaign') -%}
    select
        store_id, '{{ kind }}' as unit_kind, first_{{ kind }} as unit_id, net_revenue_amount, cm2_amount,
        coalesce(unknown_cost_revenue_amount, 0) as unknown_cost_revenue_amount,
        case when has_repeated then 1 else 0 end as repeated, 1 as customers, 1 as side
    from variants_anew
    where horizon_days = {{ var('horizon_days') }} and first_{{ kind }} is not null
    union all
    select
        store_id, '{{ kind }}', {{ kind }}_id, net_revenue_amount, cm2_amount, unknown_cost_revenue_amount,
        case when has_repeated then 1 else 0 end, 1, -1
    from evidence_anew
    where is_of_{{ kind }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

facts as not materialized (

    {{ entries_to_tie() }}

),

customers as (

    select * from {{ ref('int_customers_acquired') }} as acquired
    where {{ is_touched('acquired', 'int_subjects_touched', ['customer_key']) }}

),

facts_dated as (

    select facts.*, customers.customer_key is not null as is_acquired, customers.first_order_date
    from facts
    left join customers
        on facts.store_id = customers.store_id and facts.customer_key = customers.customer_key

),

store_amounts as (

    select
        windows.store_id, windows.horizon_days, sum(facts.net_revenue_amount) as net_revenue_amount,
        sum(facts.cm2_amount) as cm2_amount
    from windows
    inner join facts_dated as facts on windows.store_id = facts.store_id
    where
        coalesce(facts.first_order_date, facts.entry_date) between windows.start_date and windows.end_date
        and (facts.customer_key is null or facts.is_acquired)
        and (
            facts.customer_key is null
            or {{ days_between('facts.first_order_date', 'facts.entry_date') }} between 0 and windows.horizon_days
        )
    group by windows.store_id, windows.horizon_days

),

rows_summed as (

    select store_id, horizon_days, sum(net_revenue_amount) as net_revenue_amount, sum(cm2_amount) as cm2_amount
    from variants
    group by store_id, horizon_days

),

rows_anew as (

    select store_id, horizon_days, sum(net_revenue_amount) as net_revenue_amount, sum(cm2_amount) as cm2_amount
    from variants_anew
    group by store_id, horizon_days

),

spend as (

    select windows.store_id, windows.horizon_days, sum(spend.spend_amount) as spend_amount
    from windows
    inner join {{ ref('fct_marketing_spend') }} as spend
        on windows.store_id = spend.store_id and spend.spend_date between windows.start_date and windows.end_date
    group by windows.store_id, windows.horizon_days

),

variant_units as (

    select * from {{ ref('mart_decision_variant_units') }}

),

stores as (

    select
        store_id, touch_rule, horizon_days, sum(net_revenue_amount) as net_revenue_amount,
        sum(cm2_amount) as cm2_amount, sum(spend_amount) as spend_amount
    from variant_units
    where unit_kind = 'channel'
    group by store_id, touch_rule, horizon_days

)

select 'evidence' as what, store_id, unit_id
from judged
group by store_id, unit_kind, unit_id
having
    {%- for name in ('customers', 'net_revenue_amount', 'cm2_amount', 'unknown_cost_revenue_amount', 'repeated') %}
    {{ 'or ' if not loop.first }}sum(side * {{ name }}) <> 0
    {%- endfor %}
union all
select 'units', units.store_id, units.unit_id
from {{ ref('mart_decision_units') }} as units
left join variant_units as judged_units
    on
        units.store_id = judged_units.store_id
        and units.unit_kind = judged_units.unit_kind
        and units.unit_id = judged_units.unit_id
        and judged_units.touch_rule = 'first'
        and judged_units.horizon_days = {{ var('horizon_days') }}
where
    units.unit_kind in ('channel', 'campaign')
    and (
        judged_units.store_id is null
        or units.spend_amount is distinct from judged_units.spend_amount
        or units.has_spend <> judged_units.has_spend
        or units.is_paid <> judged_units.is_paid
        or units.net_revenue_amount <> coalesce(judged_units.net_revenue_amount, 0)
    )
union all
select 'facts', windows.store_id, cast(windows.horizon_days as {{ dbt.type_string() }})
from windows
left join store_amounts
    on windows.store_id = store_amounts.store_id and windows.horizon_days = store_amounts.horizon_days
left join rows_anew on windows.store_id = rows_anew.store_id and windows.horizon_days = rows_anew.horizon_days
where
    coalesce(store_amounts.net_revenue_amount, 0) <> coalesce(rows_anew.net_revenue_amount, 0)
    or coalesce(store_amounts.cm2_amount, 0) <> coalesce(rows_anew.cm2_amount, 0)
union all
select 'store', stores.store_id, stores.touch_rule
from stores
left join rows_summed on stores.store_id = rows_summed.store_id and stores.horizon_days = rows_summed.horizon_days
left join spend on stores.store_id = spend.store_id and stores.horizon_days = spend.horizon_days
where
    stores.net_revenue_amount <> coalesce(rows_summed.net_revenue_amount, 0)
    or stores.cm2_amount <> coalesce(rows_summed.cm2_amount, 0)
    or coalesce(stores.spend_amount, 0) <> coalesce(spend.spend_amount, 0)
