-- The truth of a demo store computed again from its files alone: one row per acquisition channel and campaign.
-- Tables are views over the files; as_of, window_start, window_end and horizon come in as variables.
with priced_lines as (
    select
        i.order_id,
        i.line_number,
        i.quantity,
        i.free_quantity,
        i.unit_price * i.quantity - i.discount_amount as net_amount,
        c.unit_cost
    from order_items as i
    join orders as o using (order_id)
    asof left join product_costs as c on c.product_id = i.product_id and c.valid_from <= o.ordered_at
),

sales as (
    select
        o.*,
        o.ordered_at::date as order_date,
        r.rate
    from orders as o
    join exchange_rates as r on r.date = o.ordered_at::date and r.currency = o.currency
    where o.status not in ('void', 'cancelled') and not o.is_test
),

order_lines as (
    select
        order_id,
        sum(net_amount) as net_amount,
        sum((quantity + free_quantity) * unit_cost) as cost_amount,
        count(*) filter (where unit_cost is null) as unknown_count
    from priced_lines
    group by order_id
),

order_refunds as (
    select
        f.order_id,
        sum((f.amount + f.shipping_amount + f.handling_cost_amount) * o.rate - f.restocked_quantity * l.unit_cost) as lost_amount
    from refunds as f
    join sales as o using (order_id)
    join priced_lines as l using (order_id, line_number)
    group by f.order_id
),

order_margins as (
    select
        o.order_id,
        o.customer_id,
        o.order_date,
        o.ordered_at,
        (l.net_amount - o.discount_amount + o.shipping_charged_amount - o.shipping_cost_amount - o.handling_cost_amount
            - o.payment_fee_amount - o.commission_amount) * o.rate - l.cost_amount - coalesce(f.lost_amount, 0) as cm2_amount,
        l.unknown_count
    from sales as o
    join order_lines as l using (order_id)
    left join order_refunds as f using (order_id)
),

first_orders as (
    select
        customer_id,
        min(ordered_at) as first_at,
        min(order_date) as first_date
    from order_margins
    where customer_id is not null
    group by customer_id
),

first_touches as (
    select
        f.customer_id,
        arg_min(struct_pack(source := s.source, medium := s.medium, campaign := s.campaign, channel := s.channel), s.started_at)
            as touch
    from first_orders as f
    join sessions as s on s.customer_id = f.customer_id and s.started_at <= f.first_at
        and s.started_at > f.first_at - interval 90 day
    group by f.customer_id
),

acquired as (
    select
        f.customer_id,
        f.first_date,
        t.touch.campaign as campaign,
        case
            when t.touch.channel is not null then t.touch.channel
            when t.touch.source is null then 'Unassigned'
            when t.touch.medium = 'cpc' and t.touch.campaign like 'shop%' then 'Paid Shopping'
            when t.touch.medium in ('paid-social', 'cpc') and t.touch.source in ('facebook', 'instagram') then 'Paid Social'
            when t.touch.medium = 'cpc' then 'Paid Search'
            when t.touch.medium in ('display', 'banner') then 'Display'
            when t.touch.medium = 'affiliate' then 'Affiliates'
            when t.touch.medium = 'email' then 'Email'
            when t.touch.medium = 'organic' then 'Organic Search'
            when t.touch.source = '(direct)' then 'Direct'
        end as channel
    from first_orders as f
    left join first_touches as t using (customer_id)
),

loose_refunds as (
    select
        customer_id,
        refunded_at::date as refund_date,
        amount
    from refunds
    where order_id is null
),

customers_of_window as (
    select
        a.*,
        (
            select sum(m.cm2_amount) from order_margins as m
            where m.customer_id = a.customer_id and m.order_date - a.first_date <= getvariable('horizon')
        ) - coalesce((
            select sum(l.amount) from loose_refunds as l
            where l.customer_id = a.customer_id and l.refund_date - a.first_date <= getvariable('horizon')
        ), 0) as cm2_amount,
        exists (
            select 1 from order_margins as m
            where m.customer_id = a.customer_id and m.order_date > a.first_date
                and m.order_date - a.first_date <= getvariable('horizon')
        ) as has_repeated
    from acquired as a
    where a.first_date between getvariable('window_start') and getvariable('window_end')
),

units as (
    select 'channel' as unit_kind, channel as unit_name, cm2_amount, has_repeated from customers_of_window
    union all
    select 'campaign', campaign, cm2_amount, has_repeated from customers_of_window where campaign is not null
),

spend_in_reporting as (
    select
        case when s.channel = '(unknown)' then 'Unassigned' else s.channel end as channel,
        nullif(s.campaign, '(none)') as campaign,
        s.spend_amount * r.rate as spend_amount
    from marketing_spend as s
    join exchange_rates as r on r.date = s.spend_date and r.currency = s.currency
    where s.spend_date between getvariable('window_start') and getvariable('window_end')
),

spend as (
    select 'channel' as unit_kind, channel as unit_name, spend_amount from spend_in_reporting
    union all
    select 'campaign', campaign, spend_amount from spend_in_reporting where campaign is not null
),

spend_of_units as (
    select unit_kind, unit_name, sum(spend_amount) as spend_amount from spend group by all
),

final as (
    select
        unit_kind,
        unit_name,
        count(units.cm2_amount) as customers_count,
        coalesce(sum(cm2_amount), 0) - coalesce(any_value(s.spend_amount), 0) as margin_amount,
        avg(has_repeated::int) as repeat_rate,
        any_value(s.spend_amount) as spend_amount
    from units
    full join spend_of_units as s using (unit_kind, unit_name)
    group by unit_kind, unit_name
)

select * from final
