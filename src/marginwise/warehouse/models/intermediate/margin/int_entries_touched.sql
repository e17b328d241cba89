-- Grain: one margin entry with who its evidence is clustered by (subject_key): the customer, else the guest order, else the
-- nameless refund. All entries in a full refresh, else those of touched subjects, read once for all models behind it.
{{ config(materialized='slice') }}

with entries as (

    select *, coalesce(customer_key, order_key, entry_key) as subject_key from {{ ref('int_margin_entries_united') }}

)

select * from entries
where {{ is_touched('entries', 'int_subjects_touched', ['store_id', 'subject_key']) }}
