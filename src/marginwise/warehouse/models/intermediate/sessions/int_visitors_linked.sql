-- Grain: one visitor known to be a customer, by a session that names the customer or led to the customer's order.
-- Where a visitor was several customers, the earliest link holds, so that later data never move a visitor.
{{ config(materialized='kept', key=['store_id', 'visitor_id'], touched='int_visitors_touched', compared=['customer_id']) }}

with sessions as (

    select * from {{ ref('int_visits_touched') }}

),

orders as (

    select store_id, session_id, customer_id, ordered_at from {{ ref('stg_orders') }}
    where session_id is not null and customer_id is not null and status <> 'void' and not coalesce(is_test, false)

),

links as (

    select store_id, visitor_id, customer_id, started_at as linked_at from sessions
    where customer_id is not null
    union all
    select sessions.store_id, sessions.visitor_id, orders.customer_id, orders.ordered_at
    from orders
    inner join sessions on orders.store_id = sessions.store_id and orders.session_id = sessions.session_id

),

ranked as (

    select
        store_id,
        visitor_id,
        customer_id,
        row_number() over (partition by store_id, visitor_id order by linked_at, customer_id) as link_rank
    from links

),

final as (

    select store_id, visitor_id, customer_id from ranked
    where link_rank = 1

)

select * from final
