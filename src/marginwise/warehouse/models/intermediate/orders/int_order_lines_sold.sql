-- Grain: one order line as sold, before refunds: its sale without tax and its part of what belongs to the whole
-- order. Amounts in store currency; null = not known. Lines that are not counted are valued all the same.
{{ config(materialized='view') }}

with lines as (

    select
        *,
        {{ stated_basis('payment_fee_amount', 'coalesce(assumed_payment_fee_rate, assumed_payment_fee_fixed_amount)') }}
            as payment_fee_basis,
        {{ stated_basis('shipping_cost_amount', 'assumed_shipping_cost_amount') }} as shipping_cost_basis,
        coalesce(
            paid_amount,
            order_lines_amount - coalesce(discount_amount, 0) + coalesce(shipping_charged_amount, 0)
            + case when has_tax_in_prices then 0 else coalesce(tax_amount, 0) end
        ) as order_paid_amount
    from {{ ref('int_order_lines_priced') }}

),

-- what the whole order costs where no source states it
valued as (

    select
        *,
        case payment_fee_basis
            when 'known' then coalesce(payment_fee_amount, 0)
            when 'assumed'
                then
                    coalesce(assumed_payment_fee_rate, 0) * order_paid_amount
                    + coalesce(assumed_payment_fee_fixed_amount, 0)
        end as order_payment_fee_amount,
        case shipping_cost_basis
            when 'known' then coalesce(shipping_cost_amount, 0)
            else assumed_shipping_cost_amount
        end as order_shipping_cost_amount
    from lines

),

allocated as (

    select
        *,
        line_discount_amount + coalesce({{ allocated('discount_amount') }}, 0) as price_discount_amount,
        case
            when line_tax_amount is not null or tax_amount is not null
                then coalesce(line_tax_amount, 0) + coalesce({{ allocated('tax_amount') }}, 0)
        end as stated_tax_amount,
        coalesce({{ allocated('shipping_charged_amount') }}, 0) as line_shipping_charged_amount,
        {{ allocated('order_shipping_cost_amount') }} as line_shipping_cost_amount,
        coalesce({{ allocated('handling_cost_amount') }}, 0) as line_handling_cost_amount,
        {{ allocated('order_payment_fee_amount') }} as line_payment_fee_amount,
        {{ allocated('commission_amount') }} as line_commission_amount
    from valued

),

taxed as (

    select
        *,
        line_amount - price_discount_amount as price_net_amount,
        case
            when stated_tax_amount is not null then 'known'
            when tax_rate is not null then 'assumed'
            else 'unknown'
        end as tax_basis,
        coalesce(stated_tax_amount, {{ assumed_tax('line_amount - price_discount_amount') }}) as line_tax
    from allocated

),

-- a price that includes tax, without it: the share of the price that is left holds for price, discount and list price
untaxed as (

    select
        *,
        price_net_amount - case when has_tax_in_prices then coalesce(line_tax, 0) else 0 end as net_sales_amount,
        {{ untaxed_share() }} as untaxed_share
    from taxed

),

final as (

    select
        *,
        {{ amount_times('price_discount_amount', 'untaxed_share') }} as net_discount_amount,
        case
            when list_price_amount is null
                then net_sales_amount + {{ amount_times('price_discount_amount', 'untaxed_share') }}
            else {{ amount_times('list_price_amount', 'quantity * untaxed_share') }}
        end as list_amount
    from untaxed

)

select * from final
