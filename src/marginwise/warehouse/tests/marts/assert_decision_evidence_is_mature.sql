-- Evidence of channels and campaigns is of new customers whose H days have passed, each once, and guests never repeat.
-- Asked of what is made anew: what stays was asked when it came.
with evidence as (

    select * from {{ ref('mart_decision_evidence') }} as evidence
    where
        unit_kind in ('channel', 'campaign')
        and {{ is_touched('evidence', 'int_subjects_touched', ['store_id', 'subject_key']) }}

),

customers as (

    select * from {{ ref('int_customers_acquired') }} as acquired
    where {{ is_touched('acquired', 'int_subjects_touched', ['store_id', 'customer_key']) }}

)

select evidence.store_id, evidence.unit_kind, evidence.unit_id, evidence.subject_key
from evidence
left join customers on evidence.store_id = customers.store_id and evidence.customer_key = customers.customer_key
where
    evidence.customer_key is not null
    and (
        not coalesce(customers.is_mature, false)
        or coalesce(customers.is_left_censored, true)
        or evidence.has_repeated is null
    )
    or evidence.customer_key is null and (evidence.unit_id <> 'Guests' or evidence.has_repeated is not null)
