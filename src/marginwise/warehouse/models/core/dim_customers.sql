-- Grain: one version of a customer (SCD2), without personal data. Ids that only facts know are inferred members.
-- The acquisition columns are the customer's, equal in all versions; null without an order that counts.
{{ config(materialized='kept', key=['customer_key'], touched='int_customers_touched', rows_anew_are_read=true, is_told=false) }}

with stated as (

    select * from {{ ref('stg_customers') }} as customers
    where {{ is_touched('customers', 'int_customers_touched', ['store_id', 'customer_id']) }}

),

versions as (

    {{ versions_of('stated', 'customer_id', ['created_at', 'country', 'region', 'city', 'segment', 'consent']) }}

),

acquired as (

    select * from {{ rows_anew('int_customers_acquired') }}

),

{% if is_kept() -%}
unsure as (  -- noqa: ST03

    select store_id, customer_id from {{ ref('int_customers_touched') }}
    except
    select store_id, customer_id from versions

),

{% endif -%}
mentioned as (

    {% for model in ('stg_orders', 'stg_refunds', 'fct_sessions', 'stg_events') -%}
    select store_id, customer_id from {{ ref(model) }} as rows
    where customer_id is not null and {{ is_asked_for('rows', ['store_id', 'customer_id'], 'unsure') }}
    {{ 'union' if not loop.last }}
    {% endfor %}

),

inferred as (

    select mentioned.store_id, mentioned.customer_id
    from mentioned
    left join versions on mentioned.store_id = versions.store_id and mentioned.customer_id = versions.customer_id
    where versions.customer_id is null

),

members as (

    select *, false as is_inferred from versions
    union all
    select
        store_id, customer_id,
        null, null, null, null, null, null,
        {{ beginning() }}, {{ forever() }}, true
    from inferred

),

final as (

    select
        {{ key(['members.store_id', 'members.customer_id']) }} as customer_key,
        {{ key(['members.store_id', 'members.customer_id', 'members.valid_from_at']) }} as customer_version_key,
        members.store_id, members.customer_id,
        members.country, members.region, members.city, members.segment,
        acquired.acquisition_channel, acquired.acquisition_campaign, acquired.acquisition_basis, acquired.first_order_date,
        members.consent, members.is_inferred,
        members.valid_to_at = {{ forever() }} as is_current,
        members.created_at, acquired.first_order_at, members.valid_from_at, members.valid_to_at
    from members
    left join acquired on members.store_id = acquired.store_id and members.customer_id = acquired.customer_id

)

select * from final
