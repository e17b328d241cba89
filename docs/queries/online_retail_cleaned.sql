-- The cleaned figures that are published of UCI Online Retail (2010-11), out of the order lines that Marginwise built:
-- lines of known customers with a positive quantity and price; codes that are no goods are in, cancellations are not.
-- The first cohort: customers whose first invoice lies in December 2010, and how many came back in month 1 to 4.
-- Repeat: of the customers with 90 days to come back, the share that did so on a later day within 30 and 90 days, ever.
-- Expected: 397,884 lines, 4,338 customers, 18,532 invoices, 8,911,407.904; 885, 324, 286, 340, 321; .188, .455, .739.
with order_lines as (

    select * from core.fct_order_lines

),

cleaned as (

    select
        customer_id,
        order_id,
        line_amount,
        order_date,
        (extract(year from order_date) - 2010) * 12 + extract(month from order_date) - 12 as month_number,
        min(order_date) over (partition by customer_id) as first_order_date
    from order_lines
    where customer_id is not null and quantity > 0 and unit_price_amount > 0

),

totals as (

    select
        count(*) as lines_count,
        count(distinct customer_id) as customers_count,
        count(distinct order_id) as invoices_count,
        sum(line_amount) as line_amount
    from cleaned

),

first_cohort as (

    select
        count(distinct case when month_number = 0 then customer_id end) as month_0_count,
        count(distinct case when month_number = 1 then customer_id end) as month_1_count,
        count(distinct case when month_number = 2 then customer_id end) as month_2_count,
        count(distinct case when month_number = 3 then customer_id end) as month_3_count,
        count(distinct case when month_number = 4 then customer_id end) as month_4_count
    from cleaned
    where first_order_date < date '2011-01-01'

),

repeats as (

    select
        customer_id,
        max(case when order_date - first_order_date between 1 and 30 then 1.0 else 0 end) as in_30_days,
        max(case when order_date - first_order_date between 1 and 90 then 1.0 else 0 end) as in_90_days,
        max(case when order_date > first_order_date then 1.0 else 0 end) as ever
    from cleaned
    where first_order_date <= date '2011-09-09'
    group by customer_id

),

repeat_rates as (

    select
        count(*) as judged_customers_count,
        avg(in_30_days) as repeat_30d_rate,
        avg(in_90_days) as repeat_90d_rate,
        avg(ever) as repeat_ever_rate
    from repeats

)

select *
from totals
cross join first_cohort
cross join repeat_rates
