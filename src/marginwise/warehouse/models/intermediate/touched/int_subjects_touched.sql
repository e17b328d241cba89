-- Grain: one customer, guest order or nameless refund (subject_key) whose evidence something new, corrected or gone may
-- reach: its lines and refunds, what its products are known to cost, the channel that won it, and the passing of time.
-- customer_key repeats the key for models that know customers only. Empty in a full refresh.

with touched as (

    {% call touched_keys(['store_id', 'subject_key'], type='uuid') %}
    select store_id, coalesce(customer_key, order_key) as subject_key from {{ changed('fct_order_lines') }}
    union all
    select store_id, coalesce(customer_key, refund_key) from {{ changed('fct_refunds') }}
    union all
    select store_id, customer_key from {{ changed('int_customers_acquired') }}
    union all
    select customers.store_id, customers.customer_key
    from {{ ref('int_customers_acquired') }} as customers
    inner join {{ ref('int_days_touched') }} as days
        on customers.store_id = days.store_id and customers.first_order_date between days.first_date and days.last_date
    union all
    select lines.store_id, coalesce(lines.customer_key, lines.order_key)
    from {{ ref('fct_order_lines') }} as lines
    inner join {{ ref('int_days_touched') }} as days
        on lines.store_id = days.store_id and lines.order_date between days.first_date and days.last_date
    where
        (days.is_of_decision or lines.customer_key is null)
        and {{ may_be_within('lines.order_date', ref('int_days_touched'), 'first_date', 'last_date') }}
    union all
    select refunds.store_id, coalesce(refunds.customer_key, refunds.refund_key)
    from {{ ref('fct_refunds') }} as refunds
    inner join {{ ref('int_days_touched') }} as days
        on refunds.store_id = days.store_id and refunds.refund_date between days.first_date and days.last_date
    where refunds.is_orderless and (days.is_of_decision or refunds.customer_key is null)
    union all
    {{ entries_regraded('coalesce(refunds.customer_key, refunds.refund_key)', 'coalesce(lines.customer_key, lines.order_key)') }}
    {% endcall %}

)

select store_id, subject_key, subject_key as customer_key from touched
