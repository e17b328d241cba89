-- Grain: one unit that is judged (unit_kind, unit_id), with its sums of the window and the spend of the same window.
-- Channels and campaigns carry their own spend; partners and categories the store's, by their share of its net revenue.
{%- set unknown_when_null = ['goods_cost_amount', 'shipping_cost_amount', 'payment_fee_amount', 'commission_amount'] %}

with units as (

    select * from {{ ref('int_decision_units_listed') }}

),

sums as (

    select * from {{ ref('int_decision_units_summed') }}

),

spent as (

    select * from {{ ref('int_decision_units_spent') }}

),

store_spent as (

    select
        store_id,
        sum(spend_amount) as spend_amount,
        max(case when is_spend_assumed then 1 else 0 end) = 1 as is_spend_assumed
    from spent
    where unit_kind = 'channel'
    group by store_id

),

-- units that lost more than they sold bear no spend, so the shares are taken among those that sold
selling as (

    select
        store_id,
        unit_kind,
        sum(greatest(net_revenue_amount, 0)) + greatest(max(store_unattributed_amount), 0) as selling_revenue_amount
    from sums
    group by store_id, unit_kind

),

final as (

    select
        units.store_id, units.unit_kind, units.unit_id, units.unit_name, units.parent_name, units.is_paid, units.lever,
        case
            when units.unit_kind in ('channel', 'campaign') then spent.spend_amount is not null
            else store_spent.spend_amount is not null
        end as has_spend,
        case
            when units.unit_kind in ('channel', 'campaign') then coalesce(spent.is_spend_assumed, false)
            else coalesce(store_spent.is_spend_assumed, false)
        end as is_spend_assumed,
        case
            when units.unit_kind not in ('channel', 'campaign')
                then
                    coalesce({{ amount_times('store_spent.spend_amount', rate_of(
                        'greatest(sums.net_revenue_amount, 0)', 'selling.selling_revenue_amount'
                    )) }}, 0)
            when spent.spend_amount is null and not units.is_paid then 0
            else spent.spend_amount
        end as spend_amount,
        {% for name in evidence_sum_names() + ['customers_count'] -%}
        {{ 'sums.' ~ name if name in unknown_when_null else 'coalesce(sums.' ~ name ~ ', 0)' }} as {{ name }},
        {% endfor -%}
        sums.previous_net_revenue_amount,
        max(sums.store_net_revenue_amount) over (partition by units.store_id, units.lever in ('terms', 'assortment'))
            as store_net_revenue_amount,
        coalesce(sums.store_unattributed_amount, max(sums.store_unattributed_amount) over (
            partition by units.store_id, case when units.unit_kind in ('partner', 'category') then units.unit_kind end
        )) as store_unattributed_amount
    from units
    left join sums
        on units.store_id = sums.store_id and units.unit_kind = sums.unit_kind and units.unit_id = sums.unit_id
    left join spent
        on units.store_id = spent.store_id and units.unit_kind = spent.unit_kind and units.unit_id = spent.unit_id
    left join store_spent on units.store_id = store_spent.store_id
    left join selling on units.store_id = selling.store_id and units.unit_kind = selling.unit_kind

)

select * from final
