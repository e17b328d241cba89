-- In staging a key (with its version, where versions are kept) stands once in each table.

{% for table in contract_tables() -%}
{{ 'union all' if not loop.first }}
select '{{ table }}' as table_name, cast(count(*) as bigint) as rows_with_the_key
from {{ ref('stg_' ~ table) }}
where {{ row_hash(row_identity(table)) }} in (
    select {{ row_hash(row_identity(table)) }} from {{ ref('stg_' ~ table) }} group by 1 having count(*) > 1
)
group by {{ row_identity(table) | join(', ') }}
having count(*) > 1
{% endfor %}
