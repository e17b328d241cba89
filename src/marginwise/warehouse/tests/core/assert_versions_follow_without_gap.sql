-- A history has one current version, reaches from the beginning to the end and leaves no moment out. Asked of what is made
-- anew: what stays was asked when it came.
{% set histories = {'dim_customers': 'customer_key', 'dim_products': 'product_key', 'dim_partners': 'partner_key'} %}

{% for history, member in histories.items() -%}
{{ 'union all' if not loop.first }}
select '{{ history }}' as history, {{ member }} as member_key
from (
    select
        {{ member }},
        valid_from_at,
        valid_to_at,
        is_current,
        lead(valid_from_at) over (partition by {{ member }} order by valid_from_at) as next_from_at,
        lag(valid_to_at) over (partition by {{ member }} order by valid_from_at) as previous_to_at
    from {{ rows_anew(history) if history == 'dim_customers' else ref(history) }}
) as versions
where
    valid_to_at <= valid_from_at
    or (next_from_at is not null and valid_to_at <> next_from_at)
    or (next_from_at is null and (valid_to_at <> {{ forever() }} or not is_current))
    or (next_from_at is not null and is_current)
    or (previous_to_at is null and valid_from_at <> {{ beginning() }})
{% endfor %}
