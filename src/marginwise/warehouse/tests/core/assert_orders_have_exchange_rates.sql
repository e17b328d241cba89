-- Every order in another currency has a rate of exchange on its day; each missing one is named.

select store_id, currency, order_date, count(*) as orders_count
from {{ ref('int_orders_resolved') }}
where exchange_rate is null
group by store_id, currency, order_date
