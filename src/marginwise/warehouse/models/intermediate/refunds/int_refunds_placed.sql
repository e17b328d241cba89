-- Grain: one refund that lies on order lines, with what it takes from net revenue and what its goods cost the store.
{{ config(materialized='view') }}

with spread as (

    select * from {{ ref('int_refunds_spread') }} as refund_lines
    where {{ is_touched('refund_lines', 'int_refunds_touched', ['store_id', 'refund_id']) }}

),

lines as (

    select
        store_id, order_id, line_number, order_line_key, product_key, unit_cost_amount, own_revenue_rate,
        is_counted, is_cancelled, is_good
    from {{ ref('fct_order_lines') }} as order_lines
    where {{ is_asked_for('order_lines', ['store_id', 'order_id'], 'spread') }}

),

final as (

    select
        spread.store_id,
        spread.refund_id,
        case when bool_and(spread.is_on_one_line) then {{ any_key('lines.order_line_key') }} end as order_line_key,
        {{ any_key('lines.product_key') }} as product_key,
        bool_or(lines.is_counted) and not bool_or(lines.is_cancelled) as is_counted,
        bool_or(lines.is_good) as is_good,
        sum({{ amount_times('spread.refund_amount', 'lines.own_revenue_rate') }}) as amount,
        sum(spread.tax_amount) as tax_amount,
        sum(spread.shipping_amount) as shipping_amount,
        sum(spread.handling_cost_amount) as handling_cost_amount,
        case
            when bool_and(lines.is_cancelled or spread.restocked_quantity = 0 or lines.unit_cost_amount is not null)
                then
                    sum(
                        case
                            when lines.is_cancelled or spread.restocked_quantity = 0 then 0
                            else {{ amount_times('lines.unit_cost_amount', 'spread.restocked_quantity') }}
                        end
                    )
        end as restocked_cost_amount
    from spread
    inner join lines
        on spread.store_id = lines.store_id and spread.order_id = lines.order_id and spread.line_number = lines.line_number
    group by spread.store_id, spread.refund_id

)

select * from final
