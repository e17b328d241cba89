-- The totals of the margin bridge are those of the facts, to the cent, reckoned without the models in between.
with products as (

    select
        store_id,
        product_key,
        sum(case when is_counted then line_amount else 0 end) as kept,
        sum(net_revenue_amount) as net_revenue,
        sum(case when is_counted then cm1_amount end) as cm1,
        sum(case when is_counted then cm2_amount end) as cm2,
        max(case when is_counted and not is_cancelled and goods_cost_basis <> 'unknown' then 1 else 0 end) as is_costed
    from {{ ref('fct_order_lines') }}
    group by store_id, product_key

),

lines as (

    select
        store_id,
        sum(kept) as kept,
        sum(net_revenue) as net_revenue,
        case when max(is_costed) = 1 then sum(cm1) end as cm1,
        case when max(is_costed) = 1 then sum(cm2) end as cm2
    from products
    group by store_id

),

-- a refund on no order line: its product's sales say whether a margin is told, any sale's where it names no product
costed_products as (

    select store_id, product_key from products
    where is_costed = 1
    union
    select store_id, {{ no_key() }} from products
    where is_costed = 1

),

refunds as (

    select
        refunds.store_id,
        sum(refunds.amount) as amount,
        sum(
            case
                when costed_products.product_key is not null then refunds.amount - coalesce(restocked_cost_amount, 0)
                else 0
            end
        ) as cm1,
        sum(
            case
                when costed_products.product_key is not null
                    then
                        refunds.amount - coalesce(restocked_cost_amount, 0)
                        + coalesce(shipping_amount, 0) + coalesce(handling_cost_amount, 0)
                else 0
            end
        ) as cm2
    from {{ ref('fct_refunds') }} as refunds
    left join costed_products
        on
            refunds.store_id = costed_products.store_id
            and coalesce(refunds.product_key, {{ no_key() }}) = costed_products.product_key
    where refunds.is_orderless and refunds.is_counted
    group by refunds.store_id

),

spend as (

    select store_id, sum(spend_amount) as amount from {{ ref('fct_marketing_spend') }}
    group by store_id

),

expected as (

    select store_id, 'kept' as step_id, kept as amount from lines
    union all
    select lines.store_id, 'net_revenue', net_revenue - coalesce(refunds.amount, 0)
    from lines left join refunds on lines.store_id = refunds.store_id
    union all
    select lines.store_id, 'cm1', lines.cm1 - coalesce(refunds.cm1, 0)
    from lines left join refunds on lines.store_id = refunds.store_id
    union all
    select lines.store_id, 'cm2', lines.cm2 - coalesce(refunds.cm2, 0)
    from lines left join refunds on lines.store_id = refunds.store_id
    union all
    select lines.store_id, 'cm3', lines.cm2 - coalesce(refunds.cm2, 0) - spend.amount
    from lines
    left join refunds on lines.store_id = refunds.store_id
    left join spend on lines.store_id = spend.store_id

)

select expected.store_id, expected.step_id, expected.amount, bridge.amount as bridge_amount
from expected
left join {{ ref('mart_margin_bridge') }} as bridge
    on expected.store_id = bridge.store_id and expected.step_id = bridge.step_id
where expected.amount is distinct from bridge.amount
