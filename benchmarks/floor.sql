-- The floor of `make bench`: one hand-written DuckDB script from the demo store's Parquet to the warehouse's core tables
-- and main marts. It knows this store (one currency rule, stated costs, goods only, no bad rows) and checks nothing.
-- Variables: data (folder of the Parquet files), seeds (folder of the channel rules). Statements end with a semicolon.

create macro day_of(moment) as cast(moment as date);
create macro k1(a) as md5('main|' || a)::uuid;
create macro k2(a, b) as md5('main|' || a || '|' || b)::uuid;
create macro money(x) as cast(floor((x) * 10000 + 0.5) / 10000 as decimal(18, 4));
create macro part(amount, share_before, share_after) as
    money(cast(amount as double) * share_after) - money(cast(amount as double) * share_before);

create schema core;
create schema marts;

-- what a source calls its traffic, once per distinct name
create temp table labels as
with named as (
    select distinct source, medium, campaign, channel, is_paid, false as is_spend from read_parquet($data || '/sessions.parquet')
    union
    select distinct null, null, campaign, channel, null, true from read_parquet($data || '/marketing_spend.parquet')
),

labelled as (
    select distinct
        coalesce(source, '') as source, coalesce(medium, '') as medium, coalesce(campaign, '') as campaign,
        coalesce(channel, '') as channel,
        case when is_paid then 'true' when not is_paid then 'false' else '' end as is_paid, is_spend
    from named
),

ruled as (
    select
        labelled.*, rules.channel_name,
        row_number() over (
            partition by labelled.source, labelled.medium, labelled.campaign, labelled.channel, labelled.is_paid, is_spend
            order by rules.priority
        ) as rank
    from labelled
    left join (
        select * replace (cast(priority as integer) as priority)
        from read_csv($seeds || '/channel_rules.csv', all_varchar = true)
    ) as rules
        on
            labelled.channel = ''
            and (rules.source_pattern is null or regexp_matches(lower(source), rules.source_pattern))
            and (rules.medium_pattern is null or regexp_matches(lower(medium), rules.medium_pattern))
            and (rules.campaign_pattern is null or regexp_matches(lower(campaign), rules.campaign_pattern))
            and (rules.paid_required is null or rules.paid_required = is_paid)
)

select
    source, medium, campaign, channel, is_paid, is_spend,
    case
        when channel = '' then coalesce(channel_name, 'Unassigned')
        when lower(channel) in ('(unknown)', '(not set)', '(none)', 'unassigned') then 'Unassigned'
        else coalesce(
            (select min(n.channel_name) from read_csv($seeds || '/channel_names.csv') as n
             where rtrim(lower(n.channel_name), 's') = rtrim(replace(lower(channel), '_', ' '), 's')),
            channel
        )
    end as channel_name
from ruled
where rank = 1;

create table core.dim_channels as
select
    k1(found.channel_name) as channel_key, 'main' as store_id, found.channel_name,
    coalesce(names.is_paid, found.is_paid_visit) as is_paid
from (
    select channel_name, bool_or(is_paid = 'true' or is_spend) as is_paid_visit from labels
    group by channel_name
    union all
    select 'Unassigned', false where 'Unassigned' not in (select channel_name from labels)
) as found
left join read_csv($seeds || '/channel_names.csv') as names on found.channel_name = names.channel_name;

create table core.dim_products as
with versions as (
    select
        *, lag({a: name, b: category, c: list_price, d: unit_cost, e: partner_id, f: brand, g: is_active}) over arrived as before,
        {a: name, b: category, c: list_price, d: unit_cost, e: partner_id, f: brand, g: is_active} as now
    from read_parquet($data || '/products.parquet')
    window arrived as (partition by product_id order by updated_at nulls first)
),

changed as (
    select *, row_number() over (partition by product_id order by updated_at) as number from versions
    where before is null or before is distinct from now
)

select
    k1(product_id) as product_key, k2(product_id, valid_from_at) as product_version_key, k1(partner_id) as partner_key,
    * exclude (before, now, number, updated_at),
    valid_to_at = timestamp '9999-12-31' as is_current
from (
    select
        *, case when number = 1 then timestamp '1900-01-01' else updated_at end as valid_from_at,
        coalesce(lead(updated_at) over (partition by product_id order by updated_at), timestamp '9999-12-31') as valid_to_at
    from changed
);

create table core.dim_partners as
select
    k1(partner_id) as partner_key, k2(partner_id, valid_from_at) as partner_version_key, * exclude (number, updated_at),
    valid_to_at = timestamp '9999-12-31' as is_current
from (
    select
        *, case when number = 1 then timestamp '1900-01-01' else updated_at end as valid_from_at,
        coalesce(lead(updated_at) over (partition by partner_id order by updated_at), timestamp '9999-12-31') as valid_to_at
    from (
        select *, row_number() over (partition by partner_id order by updated_at) as number
        from read_parquet($data || '/partners.parquet')
    )
);

create table core.fct_events as
select
    k1(event_id) as event_key, store_id, event_id, k1(session_id) as session_key, k1(customer_id) as customer_key,
    k1(product_id) as product_key, k1(order_id) as order_key, session_id, visitor_id, customer_id, product_id, order_id,
    event_type, cast(value_amount as decimal(18, 4)) as value_amount, day_of(occurred_at) as event_date, occurred_at
from read_parquet($data || '/events.parquet');

create temp table periods as
with ends as (
    select greatest(
        (select max(ordered_at) from read_parquet($data || '/orders.parquet')),
        (select max(started_at) from read_parquet($data || '/sessions.parquet')),
        (select max(occurred_at) from core.fct_events)
    ) as data_end_at
),

days as (
    select min(day_of(ordered_at)) as first_day, max(day_of(ordered_at)) - 1 as as_of_date
    from read_parquet($data || '/orders.parquet')
    where not is_test
)

select
    data_end_at, first_day, as_of_date, first_day + 90 as censored_until,
    greatest(first_day + 90, as_of_date - 90 + 1 - 365) as start_date, as_of_date - 90 as end_date
from ends, days;

create table core.fct_sessions as
with sessions as (
    select * from read_parquet($data || '/sessions.parquet')
),

orders as (
    select session_id, customer_id, ordered_at, status <> 'void' and not is_test as is_valid
    from read_parquet($data || '/orders.parquet')
    where session_id is not null
),

links as (
    select visitor_id, arg_min(customer_id, linked_at) as customer_id
    from (
        select visitor_id, customer_id, started_at as linked_at from sessions where customer_id is not null
        union all
        select visitor_id, orders.customer_id, ordered_at from orders
        inner join sessions using (session_id)
        where orders.customer_id is not null
    )
    group by visitor_id
),

ordered as (
    select session_id, max(customer_id) as customer_id, max(ordered_at) as last_ordered_at from orders
    where is_valid
    group by session_id
),

steps as (
    select
        session_id, max(occurred_at) as last_event_at,
        min(occurred_at) filter (event_type = 'view') as first_view,
        min(occurred_at) filter (event_type = 'add_to_cart') as first_cart,
        max(occurred_at) filter (event_type = 'add_to_cart') as last_cart,
        min(occurred_at) filter (event_type = 'checkout') as first_checkout,
        max(occurred_at) filter (event_type = 'checkout') as last_checkout,
        max(occurred_at) filter (event_type = 'purchase') as last_purchase
    from core.fct_events
    inner join sessions using (session_id)
    where occurred_at < started_at + interval 24 hour
    group by session_id
),

joined as (
    select
        sessions.*, coalesce(sessions.customer_id, ordered.customer_id, links.customer_id) as known_customer,
        labels.channel_name, last_view.*, ordered.session_id is not null as has_order,
        last_purchase is not null or ordered.session_id is not null as purchased,
        last_checkout is not null as checkout, last_cart is not null as cart, first_view is not null as view,
        greatest(started_at, last_event_at, last_ordered_at) as last_activity_at
    from sessions
    inner join labels
        on
            coalesce(sessions.source, '') = labels.source and coalesce(sessions.medium, '') = labels.medium
            and coalesce(sessions.campaign, '') = labels.campaign and coalesce(sessions.channel, '') = labels.channel
            and case when sessions.is_paid then 'true' when not sessions.is_paid then 'false' else '' end = labels.is_paid
            and not labels.is_spend
    left join links on sessions.visitor_id = links.visitor_id
    left join ordered on sessions.session_id = ordered.session_id
    left join steps as last_view on sessions.session_id = last_view.session_id
)

select
    k1(session_id) as session_key, k1(known_customer) as customer_key, k1(channel_name) as channel_key,
    store_id, session_id, visitor_id, known_customer as customer_id, channel_name,
    coalesce(campaign, '(not set)') as campaign_name, source, medium, device, country, landing_page,
    view or cart or checkout or purchased as has_viewed, cart or checkout or purchased as has_added_to_cart,
    checkout or purchased as has_checked_out, purchased as has_purchased,
    coalesce(first_view > least(last_cart, last_checkout, last_purchase), false)
    or coalesce(first_cart > least(last_checkout, last_purchase), false)
    or coalesce(first_checkout > last_purchase, false) as is_out_of_order,
    not purchased and last_activity_at > (select data_end_at from periods) - interval 24 hour as is_pending,
    day_of(started_at) as session_date, started_at, last_activity_at
from joined;

create temp table resolved as
with orders as (
    select *, day_of(ordered_at) as order_date from read_parquet($data || '/orders.parquet')
),

payments as (
    select order_id, sum(fee_amount) as fee_amount from read_parquet($data || '/payments.parquet')
    group by order_id
),

looked_back as (
    select order_id, session_key, channel_name, campaign_name
    from orders
    inner join core.fct_sessions as s
        on
            orders.session_id is null and orders.customer_id = s.customer_id and s.started_at <= ordered_at
            and s.started_at >= ordered_at - interval 30 day
    qualify row_number() over (partition by order_id order by s.started_at desc, s.session_id) = 1
)

select
    orders.*, case when orders.currency = 'EUR' then 1.0 else cast(rates.rate as double) end as exchange_rate,
    coalesce(s.session_key, l.session_key) as session_key,
    coalesce(s.channel_name, l.channel_name, 'Unassigned') as channel_name,
    coalesce(s.campaign_name, l.campaign_name, '(not set)') as campaign_name,
    coalesce(payments.fee_amount, orders.payment_fee_amount) as fee_amount,
    status = 'void' as is_void, status = 'cancelled' as is_cancelled
from orders
left join core.fct_sessions as s on orders.session_id = s.session_id
left join looked_back as l on orders.order_id = l.order_id
left join payments on orders.order_id = payments.order_id
left join read_parquet($data || '/exchange_rates.parquet') as rates
    on orders.currency = rates.currency and orders.order_date = rates.date;

-- every refund that names an order names its line
create temp table returned as
select
    r.order_id, r.line_number, r.refund_id, money(r.amount * o.exchange_rate) as amount,
    money(r.tax_amount * o.exchange_rate) as tax_amount,
    money(r.shipping_amount * o.exchange_rate) as shipping_amount,
    money(r.handling_cost_amount * o.exchange_rate) as handling_amount, r.restocked_quantity, o.is_cancelled
from read_parquet($data || '/refunds.parquet') as r
inner join resolved as o on r.order_id = o.order_id;

create table core.fct_order_lines as
with refunds as (
    select
        order_id, line_number, sum(amount) as amount, sum(shipping_amount) as shipping_amount,
        sum(handling_amount) as handling_amount, sum(restocked_quantity) as restocked_quantity
    from returned
    group by order_id, line_number
),

weighed as (
    select
        *, quantity * unit_price as price, greatest(quantity * unit_price - discount_amount, 0) as weight,
        sum(weight) over so_far as weight_so_far, sum(weight) over whole as order_weight,
        count(*) over so_far as lines_so_far, count(*) over whole as order_lines
    from read_parquet($data || '/order_items.parquet')
    window
        so_far as (
            partition by order_id order by product_id, quantity, unit_price, discount_amount, free_quantity, line_number
            rows between unbounded preceding and current row
        ),
        whole as (partition by order_id)
),

costs as (
    select
        product_id, unit_cost, valid_from,
        coalesce(lead(valid_from) over (partition by product_id order by valid_from), timestamp '9999-12-31') as valid_to
    from read_parquet($data || '/product_costs.parquet')
),

prices as (
    select
        product_id, list_price, valid_from,
        coalesce(lead(valid_from) over (partition by product_id order by valid_from), timestamp '9999-12-31') as valid_to
    from read_parquet($data || '/product_prices.parquet')
),

priced as (
    select
        w.*, o.* exclude (order_id, store_id, discount_amount, tax_amount, partner_id, updated_at),
        o.discount_amount as order_discount, p.product_key, p.product_version_key, p.category, p.partner_id as partner,
        p.partner_key,
        case when order_weight > 0 then cast(weight_so_far as double) / cast(order_weight as double)
            else lines_so_far / order_lines end as share_after,
        case when order_weight > 0 then cast(weight_so_far - weight as double) / cast(order_weight as double)
            else (lines_so_far - 1) / order_lines end as share_before,
        money(cast(price as double) * exchange_rate) as line_amount,
        money(cast(unit_price as double) * exchange_rate) as unit_price_amount,
        coalesce(costs.unit_cost, p.unit_cost) as unit_cost_amount,
        coalesce(prices.list_price, p.list_price) as list_price_amount,
        w.discount_amount as own_discount, not is_void and not is_test as is_counted,
        coalesce(r.amount, 0) as r_amount, coalesce(r.shipping_amount, 0) as r_shipping,
        coalesce(r.handling_amount, 0) as r_handling, coalesce(r.restocked_quantity, 0) as r_restocked
    from weighed as w
    inner join resolved as o on w.order_id = o.order_id
    left join core.dim_products as p
        on w.product_id = p.product_id and o.ordered_at >= p.valid_from_at and o.ordered_at < p.valid_to_at
    left join costs
        on w.product_id = costs.product_id and o.ordered_at >= costs.valid_from and o.ordered_at < costs.valid_to
    left join prices
        on w.product_id = prices.product_id and o.ordered_at >= prices.valid_from and o.ordered_at < prices.valid_to
    left join refunds as r on w.order_id = r.order_id and w.line_number = r.line_number
),

allocated as (
    select
        *,
        money(cast(own_discount as double) * exchange_rate)
        + part(money(cast(order_discount as double) * exchange_rate), share_before, share_after) as discount,
        case when is_cancelled then 0 else
            part(money(cast(shipping_charged_amount as double) * exchange_rate), share_before, share_after)
        end as shipping_charged,
        part(money(cast(shipping_cost_amount as double) * exchange_rate), share_before, share_after) as shipping_cost,
        part(money(cast(handling_cost_amount as double) * exchange_rate), share_before, share_after) as handling,
        part(money(cast(fee_amount as double) * exchange_rate), share_before, share_after) as fee,
        part(money(cast(commission_amount as double) * exchange_rate), share_before, share_after) as commission,
        case when is_cancelled then 0 else r_amount end as refunded,
        case when is_cancelled then 0 else r_shipping end as shipping_refunded,
        case when is_cancelled then 0
            else money(unit_cost_amount * (quantity + free_quantity)::double) - money(unit_cost_amount * r_restocked::double)
        end as goods_cost
    from priced
)

select
    k2(order_id, line_number) as order_line_key, k1(order_id) as order_key, k1(customer_id) as customer_key, product_key,
    product_version_key, partner_key, k1(channel_name) as channel_key, store_id, order_id, line_number, customer_id,
    product_id, partner as partner_id, channel_name, campaign_name, coalesce(category, '(not set)') as category,
    sales_channel, ship_country, quantity, free_quantity, unit_price_amount, line_amount,
    cast(case when is_counted then money(list_price_amount::double * quantity) else 0 end as decimal(18, 4)) as gmv_amount,
    cast(case when is_counted then line_amount else 0 end as decimal(18, 4)) as gross_sales_amount,
    cast(case when is_counted then discount else 0 end as decimal(18, 4)) as discount_amount,
    cast(case when is_counted and is_cancelled then line_amount - discount else 0 end as decimal(18, 4)) as cancelled_amount,
    cast(case when is_counted then refunded else 0 end as decimal(18, 4)) as refund_amount,
    cast(case when is_counted and not is_cancelled then line_amount - discount - refunded else 0 end as decimal(18, 4))
        as net_revenue_amount,
    cast(case when is_counted then goods_cost end as decimal(18, 4)) as goods_cost_amount,
    cast(net_revenue_amount - goods_cost_amount as decimal(18, 4)) as cm1_amount,
    cast(case when is_counted then shipping_charged - shipping_refunded else 0 end as decimal(18, 4)) as shipping_charged_amount,
    cast(case when is_counted then shipping_refunded else 0 end as decimal(18, 4)) as shipping_refunded_amount,
    cast(case when is_counted then shipping_cost end as decimal(18, 4)) as shipping_cost_amount,
    cast(case when is_counted then handling else 0 end as decimal(18, 4)) as handling_cost_amount,
    cast(case when is_counted then fee end as decimal(18, 4)) as payment_fee_amount,
    cast(case when is_counted then commission end as decimal(18, 4)) as commission_amount,
    cast(case when is_counted then r_handling else 0 end as decimal(18, 4)) as return_handling_cost_amount,
    cast(case when is_counted then cm1_amount + shipping_charged - shipping_refunded - shipping_cost - handling - fee
        - commission - r_handling end as decimal(18, 4)) as cm2_amount,
    is_counted, is_test, is_void, is_cancelled, currency, exchange_rate, order_date, ordered_at
from allocated;

create table core.fct_orders as
with lines as (
    select
        order_id, count(*) as lines_count, sum(quantity) as quantity, bool_or(is_counted) as is_counted,
        sum(line_amount) as line_amount, sum(gmv_amount) as gmv_amount, sum(gross_sales_amount) as gross_sales_amount,
        sum(discount_amount) as discount_amount, sum(cancelled_amount) as cancelled_amount,
        sum(refund_amount) as refund_amount, sum(net_revenue_amount) as net_revenue_amount,
        sum(goods_cost_amount) as goods_cost_amount, sum(cm1_amount) as cm1_amount,
        sum(shipping_charged_amount) as shipping_charged_amount, sum(shipping_cost_amount) as shipping_cost_amount,
        sum(handling_cost_amount) as handling_cost_amount, sum(payment_fee_amount) as payment_fee_amount,
        sum(commission_amount) as commission_amount, sum(return_handling_cost_amount) as return_handling_cost_amount,
        sum(cm2_amount) as cm2_amount
    from core.fct_order_lines
    group by order_id
),

numbered as (
    select order_id, row_number() over history as order_number, lag(order_date) over history as previous_date
    from resolved
    where customer_id is not null and not is_void and not is_test and not is_cancelled
    window history as (partition by customer_id order by ordered_at, order_id)
)

select
    k1(o.order_id) as order_key, k1(customer_id) as customer_key, k1(channel_name) as channel_key, session_key, store_id,
    o.order_id, customer_id, channel_name, campaign_name, status, sales_channel, ship_country, ship_region, ship_city,
    currency, exchange_rate, order_number, order_date - previous_date as days_since_previous_order,
    lines.* exclude (order_id), lines.is_counted and not is_cancelled as is_sale, is_test, is_void, is_cancelled,
    order_date, ordered_at
from resolved as o
left join lines on o.order_id = lines.order_id
left join numbered on o.order_id = numbered.order_id;

create table core.fct_refunds as
select
    k1(r.refund_id) as refund_key, k1(r.order_id) as order_key, k2(r.order_id, r.line_number) as order_line_key,
    k1(coalesce(r.customer_id, o.customer_id)) as customer_key, k1(r.product_id) as product_key, r.store_id, r.refund_id,
    r.order_id, coalesce(r.customer_id, o.customer_id) as customer_id, r.product_id, r.kind, r.quantity,
    r.restocked_quantity, coalesce(placed.amount, r.amount) as amount,
    coalesce(placed.shipping_amount, r.shipping_amount) as shipping_amount,
    coalesce(placed.handling_amount, r.handling_cost_amount) as handling_cost_amount,
    coalesce(not o.is_void and not o.is_test and not o.is_cancelled, true) as is_counted, r.order_id is null as is_orderless,
    day_of(r.refunded_at) as refund_date, r.refunded_at
from read_parquet($data || '/refunds.parquet') as r
left join returned as placed on r.refund_id = placed.refund_id
left join resolved as o on r.order_id = o.order_id;

create table core.fct_payments as
select
    k2(p.order_id, p.payment_number) as payment_key, k1(p.order_id) as order_key, k1(o.customer_id) as customer_key,
    p.store_id, p.order_id, p.payment_number, p.method, p.installments,
    money(p.amount::double * exchange_rate) as amount, money(p.fee_amount::double * exchange_rate) as fee_amount,
    day_of(coalesce(p.paid_at, o.ordered_at)) as payment_date, p.paid_at
from read_parquet($data || '/payments.parquet') as p
inner join resolved as o on p.order_id = o.order_id;

create table core.fct_marketing_spend as
select
    md5(s.spend_date || s.channel || coalesce(s.campaign, ''))::uuid as marketing_spend_key, k1(labels.channel_name) as channel_key,
    s.store_id, s.spend_date, labels.channel_name, coalesce(s.campaign, '(not set)') as campaign_name, s.currency,
    money(s.spend_amount::double * case when s.currency = 'EUR' then 1.0 else r.rate::double end) as spend_amount,
    impressions, clicks, platform_conversions, platform_revenue_amount
from read_parquet($data || '/marketing_spend.parquet') as s
inner join labels
    on s.channel = labels.channel and coalesce(s.campaign, '') = labels.campaign and labels.is_spend
left join read_parquet($data || '/exchange_rates.parquet') as r on s.currency = r.currency and s.spend_date = r.date;

create temp table acquired as
with firsts as (
    select * from core.fct_orders
    where order_number = 1
),

visited as (
    select f.customer_id, s.channel_name, s.campaign_name
    from firsts as f
    inner join core.fct_sessions as s
        on
            f.customer_id = s.customer_id and s.started_at <= f.ordered_at
            and s.started_at >= f.ordered_at - interval 90 day
    qualify row_number() over (partition by f.customer_id order by s.started_at, s.session_id) = 1
)

select
    f.customer_key, f.customer_id, f.order_id as first_order_id, f.order_date as first_date,
    coalesce(v.channel_name, f.channel_name) as channel_name,
    coalesce(v.campaign_name, f.campaign_name) as campaign_name,
    f.order_date < censored_until as is_censored, f.order_date + 90 <= as_of_date as is_mature, f.ordered_at
from firsts as f
left join visited as v on f.customer_id = v.customer_id
cross join periods;

create table core.dim_customers as
with versions as (
    select
        *, {a: country, b: region, c: city, d: segment, e: consent, f: created_at} as now,
        lag({a: country, b: region, c: city, d: segment, e: consent, f: created_at}) over (
            partition by customer_id order by updated_at nulls first
        ) as before
    from read_parquet($data || '/customers.parquet')
),

changed as (
    select *, row_number() over (partition by customer_id order by updated_at) as number from versions
    where before is null or before is distinct from now
)

select
    k1(c.customer_id) as customer_key, k2(c.customer_id, valid_from_at) as customer_version_key, c.store_id, c.customer_id,
    country, region, city, segment, a.channel_name as acquisition_channel, a.campaign_name as acquisition_campaign,
    a.first_date as first_order_date, consent, valid_to_at = timestamp '9999-12-31' as is_current, created_at,
    a.ordered_at as first_order_at, valid_from_at, valid_to_at
from (
    select
        *, case when number = 1 then timestamp '1900-01-01' else updated_at end as valid_from_at,
        coalesce(lead(updated_at) over (partition by customer_id order by updated_at), timestamp '9999-12-31') as valid_to_at
    from changed
) as c
left join acquired as a on c.customer_id = a.customer_id;

create table core.dim_campaigns as
select k2(channel_name, campaign_name) as campaign_key, k1(channel_name) as channel_key, channel_name, campaign_name
from (
    select channel_name, campaign_name from core.fct_orders
    union
    select channel_name, campaign_name from core.fct_sessions
    union
    select channel_name, campaign_name from core.fct_marketing_spend
    union
    select channel_name, campaign_name from acquired
);

create table core.dim_dates as
select day_of(unnest(generate_series(date_trunc('year', first_day), date_trunc('year', as_of_date) + interval 365 day,
    interval 1 day))) as date_day
from periods;

-- one counted line, or one refund that names no order
create temp view entries as
select
    order_line_key as entry_key, order_key, order_id, customer_key, product_id, partner_id, category, channel_name,
    campaign_name, order_date as entry_date, is_cancelled, line_amount, gross_sales_amount, discount_amount,
    cancelled_amount, refund_amount, net_revenue_amount, goods_cost_amount, cm1_amount, shipping_charged_amount,
    shipping_cost_amount, handling_cost_amount, payment_fee_amount, commission_amount, return_handling_cost_amount,
    cm2_amount
from core.fct_order_lines
where is_counted
union all
select
    refund_key, null, null, customer_key, r.product_id, p.partner_id, p.category, null, null, refund_date, false, 0, 0, 0, 0,
    amount, -amount, -money(restocked_quantity * cost.unit_cost::double),
    money(restocked_quantity * cost.unit_cost::double) - amount, -shipping_amount, null, 0, null, 0, handling_cost_amount,
    money(restocked_quantity * cost.unit_cost::double) - amount - shipping_amount - handling_cost_amount
from core.fct_refunds as r
left join core.dim_products as p on r.product_id = p.product_id and p.is_current
asof left join read_parquet($data || '/product_costs.parquet') as cost
    on r.product_id = cost.product_id and r.refunded_at >= cost.valid_from
where is_orderless;

create table marts.mart_daily_revenue as
select
    date_day as revenue_date, e.* exclude (entry_date), coalesce(s.spend_amount, 0) as spend_amount,
    coalesce(r.amount, 0) as refund_by_refund_date_amount, coalesce(cm2_amount, 0) - coalesce(s.spend_amount, 0) as cm3_amount
from core.dim_dates
inner join periods on date_day between first_day and as_of_date + 1
left join (
    select
        entry_date, count(distinct order_key) filter (not is_cancelled) as orders_count,
        sum(gross_sales_amount) as gross_sales_amount, sum(discount_amount) as discount_amount,
        sum(cancelled_amount) as cancelled_amount, sum(refund_amount) as refund_amount,
        sum(net_revenue_amount) as net_revenue_amount, sum(cm1_amount) as cm1_amount, sum(cm2_amount) as cm2_amount
    from entries
    group by entry_date
) as e on date_day = e.entry_date
left join (
    select spend_date, sum(spend_amount) as spend_amount from core.fct_marketing_spend
    group by spend_date
) as s on date_day = s.spend_date
left join (
    select refund_date, sum(amount) as amount from core.fct_refunds
    where is_counted
    group by refund_date
) as r on date_day = r.refund_date;

create table marts.mart_margin_bridge as
unpivot (
    select
        (select sum(line_amount) from core.fct_order_lines) as raw_total,
        (select -sum(line_amount) from core.fct_order_lines where not is_counted) as void_or_test,
        sum(line_amount) as kept, -sum(discount_amount) as discounts, -sum(cancelled_amount) as cancelled_orders,
        -sum(refund_amount) as refunds, sum(net_revenue_amount) as net_revenue, -sum(goods_cost_amount) as goods_cost_known,
        sum(cm1_amount) as cm1, sum(shipping_charged_amount) as shipping_charged, -sum(shipping_cost_amount) as shipping_cost,
        -sum(handling_cost_amount) as handling, -sum(payment_fee_amount) as payment_fees,
        -sum(commission_amount) as commission, -sum(return_handling_cost_amount) as return_handling, sum(cm2_amount) as cm2,
        (select -sum(spend_amount) from core.fct_marketing_spend) as spend_known,
        sum(cm2_amount) - (select sum(spend_amount) from core.fct_marketing_spend) as cm3
    from entries
) on columns(*) into name step_id value amount;

create temp table measured as
select
    a.customer_key, a.channel_name, a.campaign_name, cohort_month_date, is_censored, age_days,
    sum(net_revenue_amount) filter (e.order_id = a.first_order_id) as first_order_net_revenue_amount,
    case when age_days >= 30 then sum(case when entry_date - first_date <= 30 then net_revenue_amount else 0 end) end as net_30d,
    case when age_days >= 60 then sum(case when entry_date - first_date <= 60 then net_revenue_amount else 0 end) end as net_60d,
    case when age_days >= 90 then sum(case when entry_date - first_date <= 90 then net_revenue_amount else 0 end) end as net_90d,
    case when age_days >= 180 then sum(case when entry_date - first_date <= 180 then net_revenue_amount else 0 end) end as net_180d,
    case when age_days >= 365 then sum(case when entry_date - first_date <= 365 then net_revenue_amount else 0 end) end as net_365d,
    case when age_days >= 30 then sum(case when entry_date - first_date <= 30 then cm2_amount end) end as cm2_30d,
    case when age_days >= 60 then sum(case when entry_date - first_date <= 60 then cm2_amount end) end as cm2_60d,
    case when age_days >= 90 then sum(case when entry_date - first_date <= 90 then cm2_amount end) end as cm2_90d,
    case when age_days >= 180 then sum(case when entry_date - first_date <= 180 then cm2_amount end) end as cm2_180d,
    case when age_days >= 365 then sum(case when entry_date - first_date <= 365 then cm2_amount end) end as cm2_365d,
    bool_or(order_key is not null and not is_cancelled and entry_date > first_date and entry_date - first_date <= 30) as rep_30d,
    bool_or(order_key is not null and not is_cancelled and entry_date > first_date and entry_date - first_date <= 90) as rep_90d
from (
    select *, date_trunc('month', first_date) as cohort_month_date, as_of_date - first_date as age_days from acquired, periods
    where first_date <= as_of_date
) as a
inner join entries as e on a.customer_key = e.customer_key and e.entry_date >= a.first_date
group by a.customer_key, a.channel_name, a.campaign_name, cohort_month_date, is_censored, age_days;

create table marts.mart_channel_cohorts as
select
    coalesce(c.cohort_month_date, m.month) as cohort_month_date, coalesce(c.channel_name, m.channel_name) as channel_name,
    c.* exclude (cohort_month_date, channel_name), m.net_revenue_amount as month_net_revenue_amount,
    m.cm2_amount as month_cm2_amount, m.month_spend_amount, m.spend_amount
from (
    select
        cohort_month_date, channel_name, count(*) filter (not is_censored) as customers_count,
        count(*) filter (is_censored) as censored_customers_count,
        sum(first_order_net_revenue_amount) filter (not is_censored) as first_order_net_revenue_amount,
        sum(net_30d) filter (not is_censored) as net_revenue_30d_amount,
        sum(net_60d) filter (not is_censored) as net_revenue_60d_amount,
        sum(net_90d) filter (not is_censored) as net_revenue_90d_amount,
        sum(net_180d) filter (not is_censored) as net_revenue_180d_amount,
        sum(net_365d) filter (not is_censored) as net_revenue_365d_amount,
        sum(cm2_30d) filter (not is_censored) as cm2_30d_amount, sum(cm2_60d) filter (not is_censored) as cm2_60d_amount,
        sum(cm2_90d) filter (not is_censored) as cm2_90d_amount, sum(cm2_180d) filter (not is_censored) as cm2_180d_amount,
        sum(cm2_365d) filter (not is_censored) as cm2_365d_amount,
        count(*) filter (rep_30d and age_days >= 30 and not is_censored) as repeat_30d_customers_count,
        count(*) filter (rep_90d and age_days >= 90 and not is_censored) as repeat_90d_customers_count
    from measured
    group by cohort_month_date, channel_name
) as c
full join (
    select
        date_trunc('month', day) as month, channel_name, sum(net_revenue_amount) as net_revenue_amount,
        sum(cm2_amount) as cm2_amount, sum(spend_amount) as month_spend_amount,
        sum(spend_amount) filter (day >= censored_until) as spend_amount
    from (
        select entry_date as day, coalesce(channel_name, 'Unassigned') as channel_name, net_revenue_amount, cm2_amount,
            null as spend_amount
        from entries
        union all
        select spend_date, channel_name, 0, 0, spend_amount from core.fct_marketing_spend
    ), periods
    where day <= as_of_date
    group by all
) as m on c.cohort_month_date = m.month and c.channel_name = m.channel_name;

create table marts.mart_funnel_by_channel as
with days as (
    select
        channel_name, session_date, count(*) filter (not is_pending) as sessions_count,
        count(*) filter (not is_pending and has_viewed) as viewed_sessions_count,
        count(*) filter (not is_pending and has_added_to_cart) as added_to_cart_sessions_count,
        count(*) filter (not is_pending and has_checked_out) as checked_out_sessions_count,
        count(*) filter (not is_pending and has_purchased) as purchased_sessions_count
    from core.fct_sessions
    group by channel_name, session_date
)

select 'month' as period_kind, date_trunc('month', session_date) as period_start_date, channel_name,
    sum(columns('_count$'))
from days
group by all
union all
select 'window', start_date, channel_name, sum(columns('_count$')) from days, periods
where session_date between start_date and end_date
group by all;

create table marts.mart_decision_evidence as
with judged as (
    select a.*, start_date, end_date from acquired as a, periods
    where is_mature and not is_censored and first_date between start_date and end_date
),

subjects as (
    select
        j.channel_name as unit_name, j.campaign_name as unit_campaign, j.customer_key as subject_key, j.first_date as entered,
        entries.*
    from judged as j
    inner join entries on j.customer_key = entries.customer_key
    where entry_date >= j.first_date and entry_date - j.first_date <= 90
    union all
    select 'Guests', null, coalesce(order_key, entry_key), entry_date, entries.* from entries, periods
    where customer_key is null and entry_date between start_date and end_date
),

channels as (
    select
        unit_name, unit_campaign, subject_key, min(entered) as entered_date,
        count(distinct order_key) filter (not is_cancelled) as orders_count, sum(net_revenue_amount) as net_revenue_amount,
        sum(coalesce(cm2_amount, 0)) as cm2_amount, sum(refund_amount) as refund_amount,
        bool_or(entry_date > entered and order_key is not null and not is_cancelled) as has_repeated
    from subjects
    group by unit_name, unit_campaign, subject_key
),

units as (
    select 'partner' as unit_kind, partner_id as unit_id, coalesce(customer_key, order_key, entry_key) as subject_key, *
    from entries
    where partner_id is not null
    union all
    select 'category', category, coalesce(customer_key, order_key, entry_key), * from entries
    where category is not null
),

days as (
    select unit_kind, unit_id, subject_key, entry_date,
        min(entry_date) over (partition by unit_kind, unit_id, subject_key) as entered
    from (
        select distinct unit_kind, unit_id, subject_key, entry_date from units
        where order_key is not null and not is_cancelled and customer_key is not null
    )
),

repeated as (
    select unit_kind, unit_id, subject_key, entered,
        bool_or(entry_date > entered and entry_date - entered <= 90) as has_repeated
    from days
    group by all
),

assortment as (
    select
        unit_kind, unit_id, subject_key, min(entry_date) as entered_date,
        count(distinct order_key) filter (not is_cancelled) as orders_count, sum(net_revenue_amount) as net_revenue_amount,
        sum(coalesce(cm2_amount, 0)) as cm2_amount, sum(refund_amount) as refund_amount
    from units, periods
    where entry_date between start_date and end_date
    group by unit_kind, unit_id, subject_key
)

select 'channel' as unit_kind, unit_name as unit_id, * exclude (unit_name, unit_campaign) from channels
union all
select 'campaign', unit_name || ' / ' || unit_campaign, * exclude (unit_name, unit_campaign) from channels
where unit_campaign not like '(%)'
union all
select a.*, case when entered >= start_date and entered + 90 <= as_of_date then r.has_repeated end
from assortment as a
left join repeated as r on a.unit_kind = r.unit_kind and a.unit_id = r.unit_id and a.subject_key = r.subject_key
cross join periods;

create table marts.mart_decision_units as
with sums as (
    select
        unit_kind, unit_id, count(*) filter (orders_count > 0) as customers_count, sum(orders_count) as orders_count,
        sum(net_revenue_amount) as net_revenue_amount, sum(cm2_amount) as cm2_amount, sum(refund_amount) as refund_amount
    from marts.mart_decision_evidence
    group by unit_kind, unit_id
),

spent as (
    select 'channel' as unit_kind, channel_name as unit_id, sum(spend_amount) as spend_amount
    from core.fct_marketing_spend, periods
    where spend_date between start_date and end_date
    group by channel_name
    union all
    select 'campaign', channel_name || ' / ' || campaign_name, sum(spend_amount) from core.fct_marketing_spend, periods
    where spend_date between start_date and end_date and campaign_name not like '(%)'
    group by channel_name, campaign_name
),

-- partners and categories bear the store's spend by their share of all that was sold in the window
whole as (
    select
        (select sum(net_revenue_amount) from entries, periods where entry_date between start_date and end_date) as sold_amount,
        (select sum(spend_amount) from spent where unit_kind = 'channel') as spend_amount
),

selling as (
    select
        unit_kind,
        sum(greatest(net_revenue_amount, 0)) + greatest(max(sold_amount) - sum(net_revenue_amount), 0) as selling_amount,
        max(spend_amount) as spend_amount
    from sums, whole
    group by unit_kind
)

select
    coalesce(sums.unit_kind, spent.unit_kind) as unit_kind, coalesce(sums.unit_id, spent.unit_id) as unit_id,
    customers_count, orders_count, net_revenue_amount, cm2_amount, refund_amount,
    case
        when sums.unit_kind in ('partner', 'category')
            then money(selling.spend_amount::double * (greatest(net_revenue_amount, 0)::double / selling_amount::double))
        else spent.spend_amount
    end as spend_amount
from sums
full join spent on sums.unit_kind = spent.unit_kind and sums.unit_id = spent.unit_id
left join selling on sums.unit_kind = selling.unit_kind;
