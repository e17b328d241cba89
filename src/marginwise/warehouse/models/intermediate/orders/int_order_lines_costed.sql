-- Grain: one order line with its refunds, what is the store's own of its sale, and the cost of its goods.
-- A cancelled order leaves whole, whatever was refunded on it.
{{ config(materialized='view') }}

with lines as (

    select * from {{ ref('int_order_lines_commissioned') }}

),

refunds as (

    select
        store_id,
        order_id,
        line_number,
        sum(refund_amount) as refund_amount,
        sum(shipping_amount) as shipping_amount,
        sum(handling_cost_amount) as handling_cost_amount,
        sum(restocked_quantity) as restocked_quantity
    from {{ ref('int_refunds_spread') }} as refund_lines
    where {{ is_touched('refund_lines', 'int_orders_touched', ['store_id', 'order_id']) }}
    group by store_id, order_id, line_number

),

owned as (

    select
        lines.*,
        lines.quantity + lines.free_quantity as sent_quantity,
        {{ amount_times('lines.net_sales_amount', 'lines.revenue_share') }} as sales_amount,
        {{ amount_times('lines.net_discount_amount', 'lines.revenue_share') }} as discounted_amount,
        case
            when lines.is_cancelled then 0
            else coalesce({{ amount_times('refunds.refund_amount', 'lines.revenue_share') }}, 0)
        end as refunded_amount,
        case when lines.is_cancelled then 0 else coalesce(refunds.shipping_amount, 0) end as shipping_refunded_amount,
        case when lines.is_cancelled then 0 else coalesce(refunds.restocked_quantity, 0) end as restocked_quantity,
        coalesce(refunds.handling_cost_amount, 0) as return_handling_amount
    from lines
    left join refunds
        on
            lines.store_id = refunds.store_id
            and lines.order_id = refunds.order_id
            and lines.line_number = refunds.line_number

),

final as (

    select
        *,
        {{ goods_cost_basis() }} as cost_basis,
        {{ goods_cost_per_unit() }} as cost_per_unit_amount,
        {{ goods_cost() }} as cost_amount,
        {{ commission_owed() }} as owed_amount,
        {{ "'known'" if var('business_model') == 'marketplace'
            else "case when due_kind = 'affiliate' and has_affiliates_in_spend then 'known' else due_basis end" }} as owed_basis,
        {{ 'cast(null as varchar)' if var('business_model') == 'marketplace'
            else 'case when due_amount <> 0 then due_kind end' }} as owed_kind
    from owned

)

select * from final
