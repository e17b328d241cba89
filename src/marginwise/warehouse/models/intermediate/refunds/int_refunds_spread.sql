-- Grain: one refund on one order line. Amounts in store currency at the order's rate, excluding tax.
{{ config(materialized='kept', key=['store_id', 'order_id'], touched='int_orders_touched', is_told=false) }}

with refunds as (

    select * from {{ ref('int_refunds_matched') }}

),

converted as (

    select
        *,
        {{ converted('amount', 'exchange_rate') }} as whole_amount,
        {{ converted('tax_amount', 'exchange_rate') }} as whole_tax_amount,
        {{ converted('shipping_amount', 'exchange_rate') }} as whole_shipping_amount,
        {{ converted('handling_cost_amount', 'exchange_rate') }} as whole_handling_amount,
        {{ allocated('coalesce(restocked_quantity, 0)') }} as line_restocked_quantity
    from refunds

),

-- what was sent once comes back once: the cost of more than the line's quantity does not return
capped as (

    select
        *,
        sum(line_restocked_quantity) over (
            partition by store_id, order_id, line_number
            order by refunded_at, refund_id
            rows between unbounded preceding and current row
        ) as restocked_so_far
    from converted

),

final as (

    select
        {{ key(['store_id', 'refund_id'], of='refund') }} as refund_key,
        store_id, order_id, line_number, refund_id,
        is_on_one_line,
        {{ allocated('whole_amount') }} as refund_amount,
        coalesce({{ allocated('whole_tax_amount') }}, 0) as tax_amount,
        coalesce({{ allocated('whole_shipping_amount') }}, 0) as shipping_amount,
        coalesce({{ allocated('whole_handling_amount') }}, 0) as handling_cost_amount,
        cast(greatest(
            least(restocked_so_far, line_quantity) - least(restocked_so_far - line_restocked_quantity, line_quantity), 0
        ) as decimal(18, 4)) as restocked_quantity,
        refunded_at
    from capped

)

select * from final
