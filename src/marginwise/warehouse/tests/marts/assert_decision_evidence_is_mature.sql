-- Evidence of channels and campaigns is of new customers whose H days have passed, each once, and guests never repeat.
-- Asked of what is made anew: what stays was asked when it came.
with evidence as (

    select store_id, subject_key, customer_key, channel_name, has_repeated
    from {{ rows_anew('int_acquired_margins_summed') }}
    where period = 'current'

),

customers as (

    select * from {{ ref('int_customers_acquired') }} as acquired
    where {{ is_asked_for('acquired', ['customer_key'], 'evidence') }}

)

select evidence.store_id, evidence.channel_name, evidence.subject_key
from evidence
left join customers on evidence.store_id = customers.store_id and evidence.customer_key = customers.customer_key
where
    evidence.customer_key is not null
    and (
        not coalesce(customers.is_mature, false)
        or coalesce(customers.is_left_censored, true)
        or evidence.has_repeated is null
    )
    or evidence.customer_key is null and (evidence.channel_name <> 'Guests' or evidence.has_repeated is not null)
