-- On every order line net revenue, CM1 and CM2 are exactly the sum of their parts; a cancelled order is worth
-- nothing, a line that is not counted weighs nothing. Asked of what is made anew: what stays was asked when it came.

select order_line_key
from {{ rows_anew('fct_order_lines') }}
where
    net_revenue_amount <> gross_sales_amount - discount_amount - cancelled_amount - refund_amount
    or cm1_amount <> net_revenue_amount - goods_cost_amount
    or cm2_amount <> cm1_amount + shipping_charged_amount - coalesce(shipping_cost_amount, 0) - handling_cost_amount
    - coalesce(payment_fee_amount, 0) - coalesce(commission_amount, 0) - return_handling_cost_amount
    or (cm1_amount is null) <> (goods_cost_amount is null)
    or (commission_basis = 'unknown') <> (commission_amount is null) and is_counted
    or (goods_cost_basis = 'unknown') <> (goods_cost_amount is null) and is_counted
    or (is_cancelled and net_revenue_amount <> 0)
    or (
        not is_counted
        and (
            gross_sales_amount <> 0 or net_revenue_amount <> 0 or gmv_amount <> 0
            or goods_cost_amount is not null or cm2_amount is not null
        )
    )
    or gross_sales_amount is null or discount_amount is null or net_revenue_amount is null
